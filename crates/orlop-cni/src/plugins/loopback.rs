//! The plugin `loopback`: switches the container's loopback interface on.

use orlop_netlink::{Batch, LinkChange, Rtnl};
use serde::Deserialize;

use crate::plugin::{Call, NetworkCall, Plugin};
use crate::result::{Interface, IpConfig};
use crate::{CniError, CniResult, Owned, Owner};

/// Switches the container's loopback interface on, which gives it 127.0.0.1 and ::1.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loopback;

/// Nothing of it is read.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct LoopbackConfig {}

/// Loopback's index in every namespace.
const LO: u32 = 1;

fn switch(call: &Call<'_>, up: bool) -> Result<(), CniError> {
    call.netns()?.run(|| {
        let mut batch = Batch::new();
        batch.change_link(LO, &LinkChange { up: Some(up), ..LinkChange::default() })?;
        Ok::<_, CniError>(Rtnl::open()?.run(batch)?)
    })
}

impl Plugin for Loopback {
    type Config = LoopbackConfig;

    fn plugin_type(&self) -> &'static str {
        "loopback"
    }

    fn add(&self, call: &Call<'_>, _: &LoopbackConfig) -> Result<CniResult, CniError> {
        call.network.faults.step("switch loopback on")?;
        switch(call, true)?;
        if let Some(previous) = call.previous {
            return Ok(previous.clone());
        }
        let mut result = CniResult::new();
        result.interfaces.push(Interface {
            name: "lo".to_owned(),
            mac: "00:00:00:00:00:00".to_owned(),
            sandbox: call.netns_path.to_owned(),
            ..Interface::default()
        });
        for address in ["127.0.0.1/8", "::1/128"] {
            let address = address.parse().ok();
            result.ips.push(IpConfig { interface: Some(0), address, gateway: None });
        }
        Ok(result)
    }

    fn del(&self, call: &Call<'_>, _: &LoopbackConfig) -> Result<(), CniError> {
        if call.netns.is_some() { switch(call, false) } else { Ok(()) }
    }

    fn check(&self, call: &Call<'_>, _: &LoopbackConfig) -> Result<(), CniError> {
        let lo = call.netns()?.run(|| Ok::<_, CniError>(Rtnl::open()?.link(LO)?))?;
        if lo.is_some_and(|lo| lo.up) {
            Ok(())
        } else {
            Err(CniError::internal("loopback interface is down"))
        }
    }

    fn owned(&self, _: &NetworkCall<'_>, _: &LoopbackConfig) -> Result<Vec<Owned>, CniError> {
        Ok(Vec::new())
    }

    fn release(&self, _: &NetworkCall<'_>, _: &LoopbackConfig, _: &Owner) -> Result<(), CniError> {
        Ok(())
    }
}

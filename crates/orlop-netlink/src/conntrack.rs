//! Connections that the kernel remembers.

use crate::Error;
use crate::attr::{Writer, attributes, find};
use crate::connection::{ACK, Connection, DUMP, Label, Requests};
use crate::nft::head;

const SUBSYSTEM: u16 = 1;
const GET: u16 = SUBSYSTEM << 8 | 1;
const DELETE: u16 = SUBSYSTEM << 8 | 2;

const TUPLE: u16 = 1;
const ID: u16 = 12;
const TUPLE_PROTOCOL: u16 = 2;
const PROTOCOL_NUMBER: u16 = 1;
const PROTOCOL_DESTINATION_PORT: u16 = 3;

const NESTED: u16 = 0x8000;

/// Forgets all connections to some ports of a transport protocol (17 is UDP), so that their next packet is treated as
/// the first. In the namespace of the calling thread. Answers how many there were.
///
/// # Errors
/// If the kernel cannot be spoken to.
pub fn forget_to_ports(protocol: u8, ports: &[u16]) -> Result<usize, Error> {
    let mut connection = Connection::open(netlink_sys::protocols::NETLINK_NETFILTER)?;
    let mut found: Vec<(u8, Vec<u8>, Vec<u8>)> = Vec::new();
    for family in [2, 10] {
        let mut requests = Requests::default();
        let label = Label { operation: "list", object: "connections".to_owned() };
        requests.push(GET, DUMP, label, |body| body.extend_from_slice(&head(family, 0)));
        found.extend(connection.ask(&mut requests, Vec::new, |found, message| {
            let body = message.body.get(4..).unwrap_or_default();
            let matching = find(body, TUPLE).filter(|tuple| is_to(tuple, protocol, ports));
            found.extend(
                matching.map(|tuple| (family, tuple.to_vec(), find(body, ID).unwrap_or_default().to_vec())),
            );
            Ok(())
        })?);
    }
    let mut requests = Requests::default();
    for (family, tuple, id) in &found {
        let label = Label { operation: "forget", object: "connection".to_owned() };
        requests.push(DELETE, ACK, label, |body| {
            body.extend_from_slice(&head(*family, 0));
            let mut writer = Writer(body);
            writer.bytes(TUPLE | NESTED, tuple);
            if !id.is_empty() {
                writer.bytes(ID, id);
            }
        });
    }
    let mut forgotten = 0;
    for result in connection.exchange(&mut requests)? {
        match result {
            Ok(()) => forgotten += 1,
            // It ended by itself.
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(forgotten)
}

fn is_to(tuple: &[u8], protocol: u8, ports: &[u16]) -> bool {
    let Some(fields) = find(tuple, TUPLE_PROTOCOL) else { return false };
    let mut is_protocol = false;
    let mut is_port = false;
    for (kind, value) in attributes(fields) {
        match (kind, value) {
            (PROTOCOL_NUMBER, [number]) => is_protocol = *number == protocol,
            (PROTOCOL_DESTINATION_PORT, [high, low]) => {
                is_port = ports.contains(&u16::from_be_bytes([*high, *low]))
            }
            _ => {}
        }
    }
    is_protocol && is_port
}

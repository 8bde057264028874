//! Defaults of LimitRanges and ResourceQuotas.

use super::{SetDefaults, insert_missing, round_up_to_milli};
use crate::core::v1::{LimitRange, LimitRangeItem, LimitType, ResourceQuota};

impl SetDefaults for LimitRange {
    fn set_defaults(&mut self) {
        self.spec.limits.iter_mut().for_each(item);
    }
}

fn item(item: &mut LimitRangeItem) {
    if item.type_ == LimitType::Container {
        insert_missing(&mut item.default, &item.max, |_| true);
        insert_missing(&mut item.default_request, &item.default, |_| true);
        insert_missing(&mut item.default_request, &item.min, |_| true);
    }
    let LimitRangeItem { max, min, default, default_request, max_limit_request_ratio, .. } = item;
    for amounts in [max, min, default, default_request, max_limit_request_ratio] {
        round_up_to_milli(amounts);
    }
}

impl SetDefaults for ResourceQuota {
    fn set_defaults(&mut self) {
        for amounts in [&mut self.spec.hard, &mut self.status.hard, &mut self.status.used] {
            round_up_to_milli(amounts);
        }
    }
}

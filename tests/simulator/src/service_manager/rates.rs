//! The rates that SAP documents for the Service Manager (SAP Service Manager, "Rate Limiting"), per caller. All levels
//! of a request apply together, and while orders of instances are refused other calls still pass.

use std::time::Duration;

use crate::frame::rates::Level;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// The levels that a request to this route counts at.
pub(crate) fn levels(route: &str) -> Vec<Level> {
    let mut levels = both("all", 1000, 10_000);
    levels.extend(match route.strip_prefix("service-manager.").unwrap_or_default() {
        "create-instance" => vec![Level { bucket: "create-instances", most: 50, within: MINUTE }],
        "update-instance" | "delete-instance" => both("change-instances", 600, 6000),
        "list-offerings" | "get-offering" => both("offerings", 100, 1000),
        "list-plans" | "get-plan" => both("plans", 100, 1000),
        binding if binding.contains("binding") => both("bindings", 600, 6000),
        _ => Vec::new(),
    });
    levels
}

fn both(bucket: &'static str, per_minute: u32, per_hour: u32) -> Vec<Level> {
    vec![Level { bucket, most: per_minute, within: MINUTE }, Level { bucket, most: per_hour, within: HOUR }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_of_instances_and_bindings_are_counted_apart() {
        let buckets = |route| levels(route).into_iter().map(|level| level.bucket).collect::<Vec<_>>();
        assert_eq!(buckets("service-manager.create-instance"), ["all", "all", "create-instances"]);
        assert_eq!(buckets("service-manager.list-bindings"), ["all", "all", "bindings", "bindings"]);
        assert_eq!(buckets("service-manager.get-operation"), ["all", "all"]);
        assert_eq!(levels("service-manager.create-instance")[2].most, 50);
    }
}

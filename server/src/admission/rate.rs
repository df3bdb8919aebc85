//! How often a tenant may ask: a bucket of tokens each.

use std::collections::HashMap;
use std::time::Instant;

use parking_lot::Mutex;

use crate::auth::Tenant;

/// A bucket for each tenant that has asked, of which there are no more than in the file of tokens.
pub(super) struct Rates {
    per_s: f64,
    burst: f64,
    buckets: Mutex<HashMap<Tenant, (f64, Instant)>>,
}

impl Rates {
    /// So many requests a second, and so many at once.
    pub(super) fn new(per_s: f64, burst: f64) -> Self {
        Self { per_s, burst, buckets: Mutex::default() }
    }

    /// Whether `tenant` may ask at `now`.
    pub(super) fn take(&self, tenant: &Tenant, now: Instant) -> bool {
        let mut buckets = self.buckets.lock();
        let (left, at) = buckets.entry(tenant.clone()).or_insert((self.burst, now));
        let gained = self.per_s * now.saturating_duration_since(*at).as_secs_f64();
        (*left, *at) = ((*left + gained).min(self.burst), now);
        let enough = *left >= 1.0;
        if enough {
            *left -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_then_the_rate_and_nobody_pays_for_another() {
        let (rates, begin) = (Rates::new(2.0, 3.0), Instant::now());
        let (one, other) = (Tenant::named("one"), Tenant::named("other"));
        let at = |tenant: &Tenant, ms| rates.take(tenant, begin + Duration::from_millis(ms));
        assert!(at(&one, 0) && at(&one, 0) && at(&one, 0) && !at(&one, 0) && at(&other, 0));
        assert!(!at(&one, 400) && at(&one, 500) && !at(&one, 500));
        assert!(at(&one, 100_000) && at(&one, 100_000) && at(&one, 100_000) && !at(&one, 100_000));
    }
}

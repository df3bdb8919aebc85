//! How many streams are under way, of as many as the machine can serve.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Reason;
use crate::auth::Tenant;
use crate::metrics::Metrics;

/// Counts streams up to the capacity.
pub(super) struct Streams {
    state: Mutex<State>,
    tenant_share: f64,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct State {
    active: usize,
    by_tenant: HashMap<Tenant, usize>,
    /// 0 until it is known.
    capacity: usize,
}

/// A stream that is counted until it is dropped.
pub struct StreamPermit {
    streams: Arc<Streams>,
    tenant: Tenant,
}

impl Streams {
    /// None, and room for none; a tenant with a name has a share of what there will be.
    pub(super) fn new(tenant_share: f64, metrics: Arc<Metrics>) -> Self {
        Self { state: Mutex::default(), tenant_share, metrics }
    }

    /// Sets how many there may be.
    pub(super) fn set_capacity(&self, capacity: usize) {
        let mut state = self.state.lock();
        state.capacity = capacity;
        self.metrics.stream_capacity.set(capacity as f64);
        self.show(&state);
    }

    /// Whether another one would be refused.
    pub(super) fn is_full(&self) -> bool {
        let state = self.state.lock();
        state.active >= state.capacity
    }

    /// Counts another one.
    ///
    /// # Errors
    /// Why there is no room.
    pub(super) fn begin(self: &Arc<Self>, tenant: &Tenant) -> Result<StreamPermit, Reason> {
        let mut state = self.state.lock();
        if state.active >= state.capacity {
            return Err(Reason::StreamsFull);
        }
        let of_tenant = state.by_tenant.get(tenant).copied().unwrap_or_default();
        // One at least, however small the machine is.
        let share = ((state.capacity as f64 * self.tenant_share) as usize).max(1);
        if tenant.is_named() && of_tenant >= share {
            return Err(Reason::TenantShare);
        }
        state.active += 1;
        state.by_tenant.insert(tenant.clone(), of_tenant + 1);
        self.show(&state);
        Ok(StreamPermit { streams: self.clone(), tenant: tenant.clone() })
    }

    fn show(&self, state: &State) {
        self.metrics.streams_active.set(state.active as i64);
        self.metrics.stream_utilization.set(state.active as f64 / state.capacity.max(1) as f64);
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut state = self.streams.state.lock();
        state.active -= 1;
        if let Some(of_tenant) = state.by_tenant.get_mut(&self.tenant) {
            *of_tenant -= 1;
        }
        self.streams.show(&state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streams() -> Arc<Streams> {
        Arc::new(Streams::new(0.25, Arc::new(Metrics::new())))
    }

    #[test]
    fn as_many_as_the_capacity_and_not_one_more() {
        let streams = streams();
        let begin = || streams.begin(&Tenant::ANONYMOUS);
        assert!(begin().is_err() && streams.is_full());
        streams.set_capacity(2);
        let (first, _second) = (begin().ok().unwrap(), begin().ok().unwrap());
        assert!(begin().is_err_and(|reason| reason == Reason::StreamsFull) && streams.is_full());
        drop(first);
        assert!(!streams.is_full() && begin().is_ok());
        // Those under way stay where there are more than may be.
        streams.set_capacity(0);
        assert_eq!(streams.state.lock().active, 1);
    }

    #[test]
    fn a_tenant_has_its_share_and_leaves_the_rest() {
        let streams = streams();
        streams.set_capacity(8);
        let begin = |name| streams.begin(&Tenant::named(name));
        let (first, _second) = (begin("one").ok().unwrap(), begin("one").ok().unwrap());
        assert!(begin("one").is_err_and(|reason| reason == Reason::TenantShare) && begin("other").is_ok());
        drop(first);
        assert!(begin("one").is_ok());
    }
}

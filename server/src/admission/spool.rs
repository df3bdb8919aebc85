//! The bytes that all uploads take together, and those of each tenant.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::auth::Tenant;

/// Bytes taken, of a limit.
pub struct Spool {
    state: Mutex<State>,
    limit: u64,
    tenant_limit: u64,
}

#[derive(Default)]
struct State {
    used: u64,
    by_tenant: HashMap<Tenant, u64>,
}

impl Spool {
    /// A spool of `limit` bytes, none of them taken; a tenant with a name has a share of it.
    pub fn new(limit: u64, tenant_share: f64) -> Self {
        Self { state: Mutex::default(), limit, tenant_limit: (limit as f64 * tenant_share) as u64 }
    }
}

/// What one upload takes; given back when it is dropped.
pub struct Reserved {
    spool: Arc<Spool>,
    tenant: Tenant,
    bytes: u64,
}

impl Reserved {
    /// Nothing of `spool` yet.
    pub(super) fn new(spool: Arc<Spool>, tenant: Tenant) -> Self {
        Self { spool, tenant, bytes: 0 }
    }

    /// Takes `bytes` more; false where there are not so many, for all or for the tenant.
    pub fn grow(&mut self, bytes: u64) -> bool {
        let mut state = self.spool.state.lock();
        let of_tenant = state.by_tenant.get(&self.tenant).copied().unwrap_or_default();
        let limit = if self.tenant.is_named() { self.spool.tenant_limit } else { self.spool.limit };
        let (used, of_tenant) = (state.used.saturating_add(bytes), of_tenant.saturating_add(bytes));
        if used > self.spool.limit || of_tenant > limit {
            return false;
        }
        state.used = used;
        state.by_tenant.insert(self.tenant.clone(), of_tenant);
        self.bytes += bytes;
        true
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut state = self.spool.state.lock();
        state.used -= self.bytes;
        if let Some(of_tenant) = state.by_tenant.get_mut(&self.tenant) {
            *of_tenant -= self.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_share_the_limit_and_give_back() {
        let spool = Arc::new(Spool::new(10, 0.5));
        let upload = || Reserved::new(spool.clone(), Tenant::ANONYMOUS);
        let (mut first, mut second) = (upload(), upload());
        assert!(first.grow(6) && second.grow(4) && !second.grow(1) && !first.grow(u64::MAX));
        drop(first);
        assert!(second.grow(6) && !second.grow(1));
        drop(second);
        assert_eq!(spool.state.lock().used, 0);
    }

    #[test]
    fn a_tenant_has_its_share_and_leaves_the_rest() {
        let spool = Arc::new(Spool::new(10, 0.5));
        let upload = |name| Reserved::new(spool.clone(), Tenant::named(name));
        let (mut first, mut second, mut other) = (upload("one"), upload("one"), upload("other"));
        assert!(first.grow(3) && second.grow(2) && !second.grow(1) && other.grow(5) && !other.grow(1));
        drop(first);
        assert!(second.grow(3) && !other.grow(1));
    }
}

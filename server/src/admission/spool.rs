//! The bytes that all uploads take together, on disk and in memory, and those of each tenant.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use parking_lot::Mutex;

use super::Reason;
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

    /// Takes `bytes` more.
    ///
    /// # Errors
    /// [`Reason::SpoolFull`] where there are not so many, [`Reason::TenantShare`] where there are
    /// not for the tenant; nothing has changed.
    pub fn grow(&mut self, bytes: u64) -> Result<(), Reason> {
        let mut state = self.spool.state.lock();
        let of_tenant = state.by_tenant.get(&self.tenant).copied().unwrap_or_default();
        let limit = if self.tenant.is_named() { self.spool.tenant_limit } else { self.spool.limit };
        let (used, of_tenant) = (state.used.saturating_add(bytes), of_tenant.saturating_add(bytes));
        if used > self.spool.limit {
            return Err(Reason::SpoolFull);
        }
        if of_tenant > limit {
            return Err(Reason::TenantShare);
        }
        state.used = used;
        state.by_tenant.insert(self.tenant.clone(), of_tenant);
        self.bytes += bytes;
        Ok(())
    }

    /// Takes `bytes` in place of what it takes.
    ///
    /// # Errors
    /// Those of [`Reserved::grow`].
    pub fn resize(&mut self, bytes: u64) -> Result<(), Reason> {
        if bytes > self.bytes {
            return self.grow(bytes - self.bytes);
        }
        self.shrink(bytes);
        Ok(())
    }

    /// Gives back all but `bytes`.
    pub fn shrink(&mut self, bytes: u64) {
        let less = self.bytes.saturating_sub(bytes);
        let mut state = self.spool.state.lock();
        state.used -= less;
        if let Entry::Occupied(mut of_tenant) = state.by_tenant.entry(self.tenant.clone()) {
            *of_tenant.get_mut() -= less;
            if *of_tenant.get() == 0 {
                of_tenant.remove();
            }
        }
        self.bytes -= less;
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.shrink(0);
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
        let full = Err(Reason::SpoolFull);
        assert_eq!([first.grow(6), second.grow(4)], [Ok(()); 2]);
        assert_eq!([second.grow(1), first.grow(u64::MAX)], [full; 2]);
        drop(first);
        assert_eq!([second.grow(6), second.grow(1)], [Ok(()), full]);
        drop(second);
        assert_eq!(spool.state.lock().used, 0);
    }

    #[test]
    fn what_an_upload_takes_can_become_less_and_more() {
        let spool = Arc::new(Spool::new(10, 0.5));
        let (mut one, mut other) = (
            Reserved::new(spool.clone(), Tenant::named("one")),
            Reserved::new(spool.clone(), Tenant::ANONYMOUS),
        );
        let (full, share) = (Err(Reason::SpoolFull), Err(Reason::TenantShare));
        assert_eq!([one.grow(4), one.resize(6), other.resize(6)], [Ok(()), share, Ok(())]);
        assert_eq!([other.grow(1), one.resize(1), other.grow(3)], [full, Ok(()), Ok(())]);
        assert_eq!([one.resize(1), one.resize(2)], [Ok(()), full]);
        drop((one, other));
        let state = spool.state.lock();
        assert!(state.used == 0 && state.by_tenant.is_empty());
    }

    #[test]
    fn a_tenant_has_its_share_and_leaves_the_rest() {
        let spool = Arc::new(Spool::new(10, 0.5));
        let upload = |name| Reserved::new(spool.clone(), Tenant::named(name));
        let (mut first, mut second, mut other) = (upload("one"), upload("one"), upload("other"));
        let (full, share) = (Err(Reason::SpoolFull), Err(Reason::TenantShare));
        assert_eq!([first.grow(3), second.grow(2), second.grow(1)], [Ok(()), Ok(()), share]);
        assert_eq!([other.grow(5), other.grow(1)], [Ok(()), full]);
        drop(first);
        assert_eq!([other.grow(1), second.grow(3), other.grow(1)], [share, Ok(()), full]);
    }
}

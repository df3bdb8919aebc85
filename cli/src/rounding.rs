//! Numbers in JSON, without the digits that say nothing.

/// Seconds with three decimals.
pub fn milliseconds(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

/// A share or a similarity with three decimals.
pub fn thousandths(share: f32) -> f32 {
    (share * 1e3).round() / 1e3
}

/// A sum without what the sum itself adds: 0.3, not 0.30000000000000004.
pub fn sum(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

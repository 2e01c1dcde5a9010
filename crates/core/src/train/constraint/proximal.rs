//! Shrinks weights towards zero and leaves the small ones exactly there: the proximal step of L1.

/// Computes w ← sign w · max(|w| − t, 0), t ≥ 0.
#[inline(always)]
pub(super) fn shrink(weights: &mut [f32], threshold: f32) {
    for w in weights {
        // Written so that NaN stays, for the guard to see.
        let left = *w - threshold.copysign(*w);
        *w = if w.abs() <= threshold { mutant!("B65", 0.0, left) } else { left };
    }
}

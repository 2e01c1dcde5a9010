//! Spaces inverse temperatures so that all neighbours swap equally often.

/// Gives a ladder with the same ends and as many rungs, whose pairs have equal shares of the communication barrier: with
/// rejection rates rᵢ of the pairs, Λ(βᵢ) = Σ r of the pairs before it, straight in between, the new rungs stand where
/// Λ = k Λ_total / (n − 1) (Syed, Bouchard-Côté, Deligiannidis & Doucet 2022, algorithm 3, which interpolates by a monotone
/// spline; Katzgraber et al. 2006 for the aim). Where all rates are equal, nothing changes.
///
/// The ladder stays as it is if nothing was rejected, or if two new rungs were the same number.
///
/// # Panics
/// If there is not one rate for each pair of neighbours.
pub fn equal_barrier(betas: &[f32], rejected: &[f64]) -> Vec<f32> {
    assert_eq!(rejected.len() + 1, betas.len(), "one rate a pair");
    let total: f64 = rejected.iter().sum();
    let (mut out, mut pair, mut before) = (vec![betas[0]], 0, 0.0);
    for rung in 1..rejected.len() {
        let wanted = total * rung as f64 / rejected.len() as f64;
        while pair + 1 < rejected.len() && before + rejected[pair] < wanted {
            before += rejected[pair];
            pair += 1;
        }
        let [from, to] = [betas[pair], betas[pair + 1]].map(f64::from);
        out.push((from + (to - from) * ((wanted - before) / rejected[pair]).min(1.0)) as f32);
    }
    out.extend(betas.last().filter(|_| betas.len() > 1));
    // Written so that NaN, where nothing was rejected, fails.
    if out.is_sorted_by(|a, b| a > b) { out } else { betas.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_move_to_where_swaps_are_rejected() {
        let even = [1.0, 0.75, 0.5, 0.25, 0.0];
        assert_eq!(equal_barrier(&even, &[0.3; 4]), even);
        // Λ is 0, 0.6, 0.8, 0.8, 0.8: steps of 0.2 fall on thirds of the first pair.
        let got = equal_barrier(&even, &[0.6, 0.2, 0.0, 0.0]);
        let expected = [1.0, 1.0 - 0.25 / 3.0, 1.0 - 0.5 / 3.0, 0.75, 0.0];
        assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{got:?}");
    }

    #[test]
    fn ladders_that_can_not_be_spaced_stay() {
        let betas = [1.0, 0.5, 0.0];
        for rejected in [[0.0, 0.0], [f64::NAN, 0.5], [0.5, f64::NAN]] {
            assert_eq!(equal_barrier(&betas, &rejected), betas);
        }
        assert_eq!(equal_barrier(&[1.0], &[]), [1.0]);
        assert_eq!(equal_barrier(&[1.0, 0.3], &[0.9]), [1.0, 0.3]);
        let close = [1.0, f32::from_bits(1.0_f32.to_bits() - 1), f32::from_bits(1.0_f32.to_bits() - 2)];
        assert_eq!(equal_barrier(&close, &[0.9, 0.1]), close);
    }
}

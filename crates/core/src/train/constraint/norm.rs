//! Limits the Euclidean norm of each hidden unit's weights.

/// Scales the columns of a matrix of `lines` lines whose norm is above `most` down to it, to rounding; the sums are f64,
/// over the lines in their order.
pub(super) fn limit(weights: &mut [f32], lines: usize, most: f32) {
    let width = weights.len() / lines;
    let mut squares = vec![0.0; width];
    for line in weights.chunks(width) {
        squares.iter_mut().zip(line).for_each(|(sum, &w)| *sum += f64::from(w) * f64::from(w));
    }
    let most = f64::from(most);
    // A norm that is no number scales nothing: the guard must see what ran away.
    let factor = |square: f64| if square.sqrt() > most { (most / square.sqrt()) as f32 } else { 1.0 };
    let factors: Vec<f32> = squares.into_iter().map(factor).collect();
    for line in weights.chunks_mut(width) {
        line.iter_mut().zip(&factors).for_each(|(w, factor)| *w *= factor);
    }
}

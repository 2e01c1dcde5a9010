//! Defines deep belief networks of binary units and enumerates them: ln p(v), its bound, samples by class, and what up-down
//! expects.
//!
//! p(v, h₁, …) = p(v | h₁) p(h₁ | h₂) … p(h_{L−1}), the last law being that of the machine at the top, whose visible units may end
//! in a label, one bit a class of which exactly one is on. q(h₁, … | v) = Π q(h_l | h_{l−1}) by weights of its own.

use crate::bits::{is_on, states, value};
use crate::math::{log_sum_exp, sum};
use crate::rbm::Rbm;

/// Holds the machines of a stack.
#[derive(Clone, Debug, PartialEq)]
pub struct Belief {
    /// p(below | above) of each directed layer, that of the data first: weights and visible biases count.
    pub generative: Vec<Rbm>,
    /// q(above | below) likewise: weights and hidden biases count.
    pub recognition: Vec<Rbm>,
    /// The machine at the top.
    pub top: Rbm,
    /// Classes of its label; 0 without one.
    pub classes: usize,
}

/// Gives p of a state whose units are on with these probabilities, each by itself.
fn product(p: &[f64], state: u64) -> f64 {
    p.iter().enumerate().map(|(i, p)| if is_on(state, i) { *p } else { 1.0 - p }).product()
}

impl Belief {
    /// Gives the number of units of the layer below the top's hidden one, the label left out.
    pub fn shared(&self) -> usize {
        self.top.visible - self.classes
    }

    /// Gives p(below | above) of directed layer `layer`, from 0 on.
    pub fn generated(&self, layer: usize, below: u64, above: u64) -> f64 {
        product(&self.generative[layer].visible_probabilities(above), below)
    }

    /// Gives q(above | below) of directed layer `layer`.
    pub fn recognised(&self, layer: usize, below: u64, above: u64) -> f64 {
        product(&self.recognition[layer].hidden_probabilities(below), above)
    }

    /// Gives ln of the weight of a state below the top: −F(x, y) of a class, or −ln Σ_y e^(−F) where none is given.
    pub fn log_weight(&self, x: u64, class: Option<usize>) -> f64 {
        let of = |class: usize| -self.top.free_energy(x | 1 << (self.shared() + class));
        match (self.classes, class) {
            (0, _) => -self.top.free_energy(x),
            (_, Some(class)) => of(class),
            (classes, None) => log_sum_exp(&(0..classes).map(of).collect::<Vec<_>>()),
        }
    }

    /// Gives ln Z of the top machine, of a class alone or of all.
    pub fn log_z(&self, class: Option<usize>) -> f64 {
        let all: Vec<f64> = (0..states(self.shared()) as u64).map(|x| self.log_weight(x, class)).collect();
        log_sum_exp(&all)
    }

    /// Gives p(x) of the states below the top, or p(x | class).
    pub fn prior(&self, class: Option<usize>) -> Vec<f64> {
        let log_z = self.log_z(class);
        (0..states(self.shared()) as u64).map(|x| (self.log_weight(x, class) - log_z).exp()).collect()
    }

    /// Passes a law of the states of layer `layer` downwards to one of visible states.
    pub fn downwards(&self, mut law: Vec<f64>, layer: usize) -> Vec<f64> {
        for layer in (0..layer).rev() {
            let below = |below: u64| {
                sum(law.iter().enumerate().map(|(above, p)| p * self.generated(layer, below, above as u64)))
            };
            law = (0..states(self.generative[layer].visible) as u64).map(below).collect();
        }
        law
    }

    /// Passes a law of visible states upwards to one of the states of layer `layer`, by q.
    pub fn upwards(&self, mut law: Vec<f64>, layer: usize) -> Vec<f64> {
        for layer in 0..layer {
            let above = |above: u64| {
                sum(law.iter().enumerate().map(|(below, p)| p * self.recognised(layer, below as u64, above)))
            };
            law = (0..states(self.recognition[layer].hidden) as u64).map(above).collect();
        }
        law
    }

    /// Gives p(v) of every visible state, or p(v | class).
    pub fn visible(&self, class: Option<usize>) -> Vec<f64> {
        self.downwards(self.prior(class), self.generative.len())
    }

    /// Gives the bound E_q\[ln p(v, h₁, …) − ln q(h₁, … | v)\] of ln p(v), the label summed out.
    pub fn bound(&self, v: u64) -> f64 {
        self.expected(0, v) - self.log_z(None)
    }

    /// Gives what the layers from `layer` on add to the bound, given that one's state.
    fn expected(&self, layer: usize, below: u64) -> f64 {
        let Some(machine) = self.recognition.get(layer) else { return self.log_weight(below, None) };
        let term = |above: u64| {
            let q = self.recognised(layer, below, above);
            let p = self.generated(layer, below, above);
            if q == 0.0 { 0.0 } else { q * (p.ln() - q.ln() + self.expected(layer + 1, above)) }
        };
        sum((0..states(machine.hidden) as u64).map(term))
    }

    /// Gives the expectation of −∂ ln p(below | above) of a directed layer when visible states follow `law` and the layers above
    /// are drawn from q: W, then visible biases.
    pub fn wake(&self, law: &[f64], layer: usize) -> Vec<f64> {
        let machine = &self.generative[layer];
        let below = self.upwards(law.to_vec(), layer);
        self.expected_gradient(&below, layer, |below, above| {
            let p = machine.visible_probabilities(above);
            let off: Vec<f64> = (0..machine.visible).map(|i| value(below, i) - p[i]).collect();
            let weights = off.iter().flat_map(|off| (0..machine.hidden).map(move |j| -off * value(above, j)));
            weights.chain(off.iter().map(|off| -off)).collect()
        })
    }

    /// Averages over pairs of which the lower state follows `below` and the upper one q.
    fn expected_gradient(&self, below: &[f64], layer: usize, of: impl Fn(u64, u64) -> Vec<f64>) -> Vec<f64> {
        let machine = &self.recognition[layer];
        let mut out = vec![0.0; machine.visible * machine.hidden + machine.visible];
        for (state, p) in below.iter().enumerate() {
            for above in 0..states(machine.hidden) as u64 {
                let weight = p * self.recognised(layer, state as u64, above);
                out.iter_mut().zip(of(state as u64, above)).for_each(|(sum, x)| *sum += weight * x);
            }
        }
        out
    }

    /// Gives the expectation of −∂ ln q(above | below) of a directed layer when the states below the top follow `dreamt` and the
    /// layers below are generated: W, then hidden biases.
    pub fn sleep(&self, dreamt: &[f64], layer: usize) -> Vec<f64> {
        let (machine, mut law) = (&self.recognition[layer], dreamt.to_vec());
        for layer in (layer + 1..self.generative.len()).rev() {
            let count = states(self.generative[layer].visible) as u64;
            let at = |below| {
                sum(law.iter().enumerate().map(|(above, p)| p * self.generated(layer, below, above as u64)))
            };
            law = (0..count).map(at).collect();
        }
        let mut out = vec![0.0; machine.visible * machine.hidden + machine.hidden];
        for (above, p) in law.iter().enumerate() {
            for below in 0..states(machine.visible) as u64 {
                let weight = p * self.generated(layer, below, above as u64);
                let q = machine.hidden_probabilities(below);
                let off: Vec<f64> = (0..machine.hidden).map(|j| value(above as u64, j) - q[j]).collect();
                let weights = (0..machine.visible).flat_map(|i| {
                    let on = value(below, i);
                    off.iter().map(move |off| -on * off)
                });
                let all = weights.chain(off.iter().map(|off| -off));
                out.iter_mut().zip(all).for_each(|(sum, x)| *sum += weight * x);
            }
        }
        out
    }

    /// Passes a law of the top machine's visible states, its label included, through one sweep. The label is drawn as one class.
    pub fn swept(&self, law: &[f64]) -> Vec<f64> {
        let mut hidden = vec![0.0; states(self.top.hidden)];
        for (x, p) in law.iter().enumerate() {
            let on = self.top.hidden_probabilities(x as u64);
            hidden.iter_mut().enumerate().for_each(|(h, sum)| *sum += p * product(&on, h as u64));
        }
        let mut out = vec![0.0; law.len()];
        for (h, p) in hidden.iter().enumerate() {
            out.iter_mut().enumerate().for_each(|(x, sum)| *sum += p * self.drawn(x as u64, h as u64));
        }
        out
    }

    /// Gives the probability of a visible state of the top machine, its label included, given its hidden units.
    fn drawn(&self, visible: u64, hidden: u64) -> f64 {
        let units = self.shared();
        let x = product(&self.top.visible_probabilities(hidden)[..units], visible);
        match (self.classes, visible >> units) {
            (0, _) => x,
            (_, label) if label.is_power_of_two() => {
                let scores = &self.top.visible_activations(hidden)[units..];
                x * (scores[label.trailing_zeros() as usize] - log_sum_exp(scores)).exp()
            }
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::close;
    use crate::rng::Rng;

    fn stack(classes: usize, seed: u64) -> Belief {
        let mut rng = Rng::new(seed);
        let [a, b] = [(4, 3), (3, 2)].map(|(v, h)| Rbm::normal(v, h, 1.0, &mut rng));
        let [c, d] = [(4, 3), (3, 2)].map(|(v, h)| Rbm::normal(v, h, 1.0, &mut rng));
        let top = Rbm::normal(2 + classes, 3, 1.0, &mut rng);
        Belief { generative: vec![a, b], recognition: vec![c, d], top, classes }
    }

    /// The joint law by itself: Σ over all hidden states of all layers, one by one.
    #[test]
    fn laws_are_sums_over_all_states() {
        for classes in [0, 2] {
            let stack = stack(classes, 3);
            let visible = stack.visible(None);
            close(sum(visible.iter().copied()), 1.0, 1e-12);
            let tops: Vec<u64> = match classes {
                0 => (0..4).collect(),
                _ => (0..4).flat_map(|x| [x | 4, x | 8]).collect(),
            };
            let z = sum(tops
                .iter()
                .flat_map(|&x| (0..8).map(move |h| (x, h)))
                .map(|(x, h)| (-stack.top.energy(x, h)).exp()));
            for v in 0..16 {
                let mut total = 0.0;
                for &x in &tops {
                    for h1 in 0..8 {
                        for h in 0..8 {
                            let below = stack.generated(0, v, h1) * stack.generated(1, h1, x & 3);
                            total += below * (-stack.top.energy(x, h)).exp() / z;
                        }
                    }
                }
                close(visible[v as usize], total, 1e-12);
                assert!(stack.bound(v) <= total.ln() + 1e-12);
            }
        }
    }

    /// A sweep leaves the law of the top machine's visible states alone.
    #[test]
    fn sweeps_leave_the_top_alone() {
        for classes in [0, 3] {
            let stack = stack(classes, 11);
            let one = |v: u64| classes == 0 || (v >> 2).is_power_of_two();
            let weight = |v: u64| if one(v) { (-stack.top.free_energy(v)).exp() } else { 0.0 };
            let weights: Vec<f64> = (0..states(stack.top.visible) as u64).map(weight).collect();
            let law: Vec<f64> = weights.iter().map(|w| w / sum(weights.iter().copied())).collect();
            stack.swept(&law).into_iter().zip(&law).for_each(|(a, b)| close(a, *b, 1e-12));
        }
    }

    /// Where q is the posterior, the bound is tight: a tied stack whose top is the machine below upside down.
    #[test]
    fn the_bound_of_a_machine_over_itself_is_its_likelihood() {
        let machine = Rbm::normal(4, 3, 1.5, &mut Rng::new(5));
        let top = machine.transposed();
        let stack = Belief { generative: vec![machine.clone()], recognition: vec![machine], top, classes: 0 };
        let visible = stack.visible(None);
        for v in 0..16 {
            close(stack.bound(v), visible[v as usize].ln(), 1e-12);
        }
    }

    /// A gradient of the bound's terms by differences of step 1e-5: wake, the bound itself; sleep, E_p ln q.
    #[test]
    fn gradients_are_differences() {
        let stack = stack(0, 7);
        let (law, dreamt) = ([0.0625; 16].to_vec(), stack.prior(None));
        let bound = |stack: &Belief| -> f64 { (0..16).map(|v| -stack.bound(v) / 16.0).sum() };
        let log_q = |stack: &Belief, layer: usize| -> f64 {
            let below = stack.downwards(dreamt.clone(), 2);
            assert_eq!(below.len(), 16);
            let upper = if layer == 1 { dreamt.clone() } else { middle(stack, &dreamt) };
            let mut total = 0.0;
            for (above, p) in upper.iter().enumerate() {
                for below in 0..states(stack.recognition[layer].visible) as u64 {
                    let weight = p * stack.generated(layer, below, above as u64);
                    total -= weight * stack.recognised(layer, below, above as u64).ln();
                }
            }
            total
        };
        for layer in 0..2 {
            let (wake, sleep) = (stack.wake(&law, layer), stack.sleep(&dreamt, layer));
            for (n, wake) in wake.into_iter().enumerate() {
                let moved = |by| {
                    let mut out = stack.clone();
                    *out.generative[layer].parameter_mut(n) += by;
                    bound(&out)
                };
                close(wake, (moved(1e-5) - moved(-1e-5)) / 2e-5, 1e-8);
            }
            let weights = stack.recognition[layer].weights.len();
            for (n, sleep) in sleep.into_iter().enumerate() {
                // Hidden biases stand behind the visible ones.
                let place = if n < weights { n } else { n + stack.recognition[layer].visible };
                let moved = |by| {
                    let mut out = stack.clone();
                    *out.recognition[layer].parameter_mut(place) += by;
                    log_q(&out, layer)
                };
                close(sleep, (moved(1e-5) - moved(-1e-5)) / 2e-5, 1e-8);
            }
        }
    }

    fn middle(stack: &Belief, dreamt: &[f64]) -> Vec<f64> {
        let at = |below| {
            (0..dreamt.len()).map(|above| dreamt[above] * stack.generated(1, below, above as u64)).sum()
        };
        (0..8).map(at).collect()
    }
}

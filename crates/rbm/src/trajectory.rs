//! Estimates ln Z along the earlier machines of a training.

use harmonium_core::Error;
use harmonium_core::evaluate::bennett;
use harmonium_core::train::Trajectory;

use crate::Rbm;

impl Rbm {
    /// Estimates ln Z, in nats, from the chains of a trajectory whose newest model this is: `base` is ln Z of the oldest,
    /// and each neighbour adds Bennett's acceptance ratio of their free energies (Béreux et al. 2025; Bennett 1976).
    ///
    /// # Errors
    /// Refuses a trajectory of another machine or without chains, and one whose energies are not finite.
    pub fn log_z_along(&self, trajectory: &Trajectory, base: f64) -> Result<f64, Error> {
        self.view().check_energy("ln Z")?;
        let none = || Error::value("trajectory", "", "chains of this machine", "none");
        let (all, chains) = (trajectory.standing().ok_or_else(none)?, trajectory.chains);
        let earlier = trajectory.models(self)?;
        let rungs: Vec<&Self> = [self].into_iter().chain(&earlier).collect();
        let mut log_z = base;
        for (newer, pair) in rungs.windows(2).enumerate() {
            let gains = |rung: usize| -> Vec<f64> {
                let rows = all.gather(rung * chains..(rung + 1) * chains);
                let [new, old] = [0, 1].map(|n| pair[n].view().free_energies(&rows));
                new.iter().zip(old).map(|(new, old)| new - old).collect()
            };
            let wrong = || Error::value("free energies", format!("rung {newer}"), "finite numbers", "others");
            log_z += bennett(&gains(newer + 1), &gains(newer)).ok_or_else(wrong)?;
        }
        Ok(log_z)
    }
}

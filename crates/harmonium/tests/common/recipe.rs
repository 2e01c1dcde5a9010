//! Lists small trainings that together pass every branch of an update.

use harmonium::rbm::{MeanField, Order, PseudoLikelihood, Rbm};
use harmonium::train::{
    Adapt, Average, Cd, Centre, Clip, Decay, Estimator, FastPcd, Fit, Kept, Ladder, Method, Observer, Pcd,
    Schedule, Summary, Tempering, Training, Trajectory,
};
use harmonium::units::States;
use harmonium::units::Units;
use harmonium::{Batch, BitMatrix, Error, HasParams};

use super::{coins, key};

/// The estimators of the recipes behind one type, so that recipes can be listed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Any {
    Cd(Cd),
    Pcd(Pcd),
    Fast(FastPcd),
    Tempering(Tempering),
    Trajectory(Trajectory),
    Mean(MeanField),
    Pseudo(PseudoLikelihood),
}

impl Any {
    pub(crate) fn get(&self) -> &dyn Estimator<Rbm> {
        match self {
            Self::Cd(cd) => cd,
            Self::Pcd(pcd) => pcd,
            Self::Fast(fast) => fast,
            Self::Tempering(tempering) => tempering,
            Self::Trajectory(trajectory) => trajectory,
            Self::Mean(mean) => mean,
            Self::Pseudo(pseudo) => pseudo,
        }
    }

    pub(crate) fn get_mut(&mut self) -> &mut dyn Estimator<Rbm> {
        match self {
            Self::Cd(cd) => cd,
            Self::Pcd(pcd) => pcd,
            Self::Fast(fast) => fast,
            Self::Tempering(tempering) => tempering,
            Self::Trajectory(trajectory) => trajectory,
            Self::Mean(mean) => mean,
            Self::Pseudo(pseudo) => pseudo,
        }
    }
}

/// Is a training: where its chains come from, and its options.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) estimator: Any,
    pub(crate) options: Fit,
}

/// Holds all that a training leaves behind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct End {
    pub(crate) digest: String,
    pub(crate) masters: Vec<u32>,
    pub(crate) kept: Kept,
    pub(crate) steps: u64,
}

/// Two-layer machine and data wide enough that every product is cut into tasks: 90 rows, 70 × 40 units.
pub(crate) fn data() -> Batch {
    let noise = coins(90, 70, 1);
    // Stripes under noise: something to learn, so that weights leave their first grid.
    let bit = |row: usize, unit: usize| noise.get(row, unit) && (row + unit / 10).is_multiple_of(2);
    Batch::from_bits(BitMatrix::from_fn(90, 70, bit)).expect("rows and columns")
}

pub(crate) fn machine() -> Rbm {
    Rbm::for_data(&data(), Units::Bernoulli(40), key(5)).expect("a machine of legal size")
}

/// Lists CD and PCD × descent with momentum and Adam × plain and centred, with decay and schedules among them.
pub(crate) fn recipes() -> Vec<Recipe> {
    let momentum = Method::Sgd { momentum: Schedule::Linear { from: 0.5, to: 0.9 } };
    let mut out = Vec::new();
    for estimator in [Any::Cd(Cd::new(2)), Any::Pcd(Pcd::new(1, 37))] {
        for (method, rate) in [(momentum.clone(), 0.1), (Method::adam(), 0.01)] {
            for centre in [None, Some(Centre { rate: 0.2, offsets: None })] {
                let learning_rate = Schedule::Exponential { from: rate, to: rate / 2.0 };
                let decay = Decay { l1: if centre.is_some() { 1e-4 } else { 0.0 }, l2: 1e-3 };
                let method = method.clone();
                let options =
                    Fit { epochs: 3, batch: 32, learning_rate, method, centre, decay, ..Fit::default() };
                out.push(Recipe { estimator: estimator.clone(), options });
            }
        }
    }
    out
}

/// Lists a recipe for each other estimator, in the options of a centred one with momentum.
pub(crate) fn others() -> Vec<Recipe> {
    let ladder = || Ladder::Betas(vec![1.0, 0.8, 0.5]);
    let mut fast = FastPcd::new(1, 37);
    fast.rate = 0.1;
    let mut trajectory = Trajectory::new(1, 37);
    (trajectory.every, trajectory.threshold) = (2, 0.999);
    let mut adapted = Tempering::new(1, 37, ladder());
    adapted.adapt = 5;
    let estimators = [
        Any::Fast(fast),
        Any::Tempering(Tempering::new(1, 37, ladder())),
        Any::Tempering(adapted),
        Any::Trajectory(trajectory),
        Any::Mean(MeanField::new(Order::Third, 2, 7)),
        Any::Pseudo(PseudoLikelihood::new()),
    ];
    let options = recipes().swap_remove(1).options;
    estimators.map(|estimator| Recipe { estimator, options: options.clone() }).into()
}

/// Lists the further optimisers, all with an average, and the last two with a rate that is adapted.
pub(crate) fn further() -> Vec<Recipe> {
    let methods =
        [Method::nesterov(0.7), Method::adamw(0.1), Method::adagrad(), Method::rmsprop(), Method::default()];
    let recipe = |(n, method): (usize, Method)| {
        let average = Some(if n % 2 == 0 { Average::exponential(0.7) } else { Average::default() });
        let (adapt, clip) = ((n > 2).then(Adapt::default), (n > 3).then_some(Clip { norm: 1.0 }));
        let (learning_rate, enhanced) = (Schedule::Constant(0.02), n == 0);
        let fit = Fit { epochs: 3, batch: 32, learning_rate, method, average, ..Fit::default() };
        Recipe { estimator: Any::Pcd(Pcd::new(1, 37)), options: Fit { adapt, clip, enhanced, ..fit } }
    };
    methods.into_iter().enumerate().map(recipe).collect()
}

impl Recipe {
    /// Runs a training from where it stands.
    pub(crate) fn run(
        &mut self,
        training: &mut Training,
        rbm: &mut Rbm,
        observer: &mut impl Observer<Rbm>,
    ) -> Result<Summary, Error> {
        training.run(rbm, &data(), self.estimator.get_mut(), key(6), observer)
    }

    pub(crate) fn end(&self, rbm: &Rbm, steps: u64) -> End {
        let kept = self.estimator.get().kept();
        let masters = rbm.blocks().iter().flat_map(|b| b.values.iter().map(|x| x.to_bits())).collect();
        End { digest: rbm.digest(), masters, kept, steps }
    }

    /// Runs the whole training.
    pub(crate) fn whole(mut self, observer: &mut impl Observer<Rbm>) -> End {
        let mut rbm = machine();
        let mut training = Training::new(&rbm, &data(), &self.options).expect("legal options");
        let summary = self.run(&mut training, &mut rbm, observer).expect("a training that holds");
        self.end(&rbm, summary.steps)
    }
}

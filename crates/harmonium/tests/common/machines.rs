//! Makes general machines with their judges, and bounds what f32 costs their draws.

use harmonium::bm::{Colouring, Graph, Machine, Rule, Scan, View};
use harmonium::units::Units;
use harmonium::{Batch, BitMatrix};
use harmonium_oracle::machine::{Machine as Exact, Unit};
use harmonium_oracle::rng::Rng;

use super::tolerance::U;

/// Makes a machine with couplings and biases of this scale; bits and spins have third-order terms where asked.
pub(crate) fn machine(graph: Graph, units: Units, triples: &[[usize; 3]], scale: f64, seed: u64) -> Machine {
    let mut rng = Rng::new(seed);
    let width = units.features() / units.count();
    let mut draw = |n: usize| (0..n).map(|_| (scale * rng.normal()) as f32).collect::<Vec<f32>>();
    let (couplings, biases) = (draw(graph.edges().len() * width * width), draw(units.features()));
    let strengths = draw(triples.len());
    let plain = Machine::from_parts(graph, units, couplings, biases).unwrap();
    if width > 1 { plain } else { plain.with_triples(triples, strengths).unwrap() }
}

/// Makes machines of every kind over a dense and a sparse graph of five (classes: four) units.
pub(crate) fn machines(scale: f64) -> Vec<Machine> {
    let of = |units: Units| {
        let n = units.count();
        let dense = Graph::complete(n).unwrap();
        let sparse = Graph::new(n, [[0, 1], [1, 2], [0, 3]]).unwrap();
        [(dense, vec![]), (sparse, vec![[0, 1, 3], [1, 2, 3]])].into_iter().enumerate().map(
            move |(seed, (graph, triples))| machine(graph, units.clone(), &triples, scale, seed as u64 + 3),
        )
    };
    [Units::Bernoulli(5), Units::Spin(5), Units::Categorical { units: 4, classes: 3 }]
        .into_iter()
        .flat_map(of)
        .collect()
}

/// Reads a machine back, couplings as they are on the grid.
pub(crate) fn exact(machine: &Machine) -> Exact {
    let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    let units = machine.units().count();
    let width = machine.units().features() / units;
    let couplings = wide(&machine.couplings());
    let edges = machine.graph().edges().iter().zip(couplings.chunks(width * width));
    let triples = machine.triples().iter().zip(wide(&machine.strengths()));
    Exact {
        unit: match machine.units() {
            Units::Spin(_) => Unit::Spin,
            Units::Categorical { classes, .. } => Unit::Classes(*classes),
            _ => Unit::Bit,
        },
        units,
        visible: machine.visible_units(),
        edges: edges.map(|(edge, table)| (edge.map(|unit| unit as usize), table.to_vec())).collect(),
        biases: wide(machine.biases()),
        triples: triples.map(|(units, strength)| (units.map(|unit| unit as usize), strength)).collect(),
    }
}

/// Packs states, digits a row, as features.
pub(crate) fn bits(exact: &Exact, states: &[Vec<usize>]) -> BitMatrix {
    let (width, units) = (exact.width(), states[0].len());
    BitMatrix::from_fn(states.len(), units * width, |row, feature| {
        let digit = states[row][feature / width];
        if width == 1 { digit == 1 } else { digit == feature % width }
    })
}

/// Reads states back from features.
pub(crate) fn digits(exact: &Exact, bits: &BitMatrix) -> Vec<Vec<usize>> {
    let width = exact.width();
    let digit = |row: usize, unit: usize| match width {
        1 => usize::from(bits.get(row, unit)),
        _ => (0..width).find(|class| bits.get(row, unit * width + class)).unwrap(),
    };
    (0..bits.rows()).map(|row| (0..bits.units() / width).map(|unit| digit(row, unit)).collect()).collect()
}

/// Makes a batch of visible digits.
pub(crate) fn batch(exact: &Exact, rows: &[Vec<usize>]) -> Batch {
    match exact.unit {
        Unit::Classes(classes) => {
            let class = |(row, unit): (usize, usize)| rows[row][unit] as u16;
            let values = ndarray::Array2::from_shape_fn((rows.len(), rows[0].len()), class);
            Batch::classes(values.view(), classes).unwrap()
        }
        _ => Batch::from_bits(bits(exact, rows)).unwrap(),
    }
}

/// Lists all visible states.
pub(crate) fn visible_states(exact: &Exact) -> Vec<Vec<usize>> {
    let count = exact.base().pow(exact.visible as u32);
    exact.states().into_iter().take(count).map(|state| state[..exact.visible].to_vec()).collect()
}

/// Makes every machine with every rule and order of visits.
pub(crate) fn kernels(scale: f64) -> Vec<(Machine, Vec<usize>)> {
    let mut out = Vec::new();
    for machine in machines(scale) {
        for rule in [Rule::HeatBath, Rule::Metropolis] {
            let sequential = machine.clone().with_rule(rule);
            let units = machine.graph().vertices();
            let triples = machine.triples().to_vec();
            let colouring = Colouring::greedy(machine.graph(), &triples);
            let order = colouring.classes().iter().flatten().map(|&unit| unit as usize).collect();
            let coloured = sequential.clone().with_scan(Scan::Coloured(colouring)).unwrap();
            out.extend([(sequential, (0..units).collect()), (coloured, order)]);
        }
    }
    out
}

/// Splits the words into intervals of one outcome each, by bisection: outcomes change with the word in one direction.
fn intervals(outcome: &dyn Fn(u32) -> usize) -> Vec<(u32, f64, usize)> {
    let mut out = Vec::new();
    let mut low = 0_u64;
    while low < 1 << 32 {
        let here = outcome(low as u32);
        let (mut least, mut most) = (low + 1, 1_u64 << 32);
        while least < most {
            let middle = u64::midpoint(least, most);
            if outcome(middle as u32) == here { least = middle + 1 } else { most = middle }
        }
        let end = least.min(1 << 32);
        out.push((low as u32, (end - low) as f64 / 4_294_967_296.0, here));
        low = end;
    }
    out
}

/// Gives the probabilities of the states that a unit moves to.
pub(crate) fn draw(view: &View<'_>, state: &BitMatrix, unit: usize, base: usize) -> Vec<f64> {
    let mut out = vec![0.0; base];
    // Where the first word always accepts, the second chooses the proposal alone; else it changes nothing.
    for (proposal, share, _) in intervals(&|word| view.drawn(state, 0, unit, [0, word])) {
        for (_, p, to) in intervals(&|word| view.drawn(state, 0, unit, [word, proposal])) {
            out[to] += share * p;
        }
    }
    out
}

/// Bounds, over all units and states, the size of what a unit receives: Σ |θ| of its terms.
fn largest_input(exact: &Exact) -> f64 {
    let width = exact.width();
    let of = |unit: usize| {
        let most = |table: &[f64]| table.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        let edges = exact.edges.iter().filter(|(edge, _)| edge.contains(&unit)).map(|(_, table)| most(table));
        let third = exact.triples.iter().filter(|(units, _)| units.contains(&unit)).map(|(_, x)| x.abs());
        edges.chain(third).sum::<f64>() + most(&exact.biases[unit * width..][..width])
    };
    (0..exact.units).map(of).fold(0.0, f64::max)
}

/// Bounds TV of one draw. An activation errs by 3u|I| (conversion, scale, sum), that of a spin and a difference of two by
/// 6u|I|, the maximum's subtraction by 2u|I| more; odds then err by that and by 2 ulp ≤ 2u, and so does their sum, so a
/// probability by 2 (8u|I| + 2u); the word has a step of u.
pub(crate) fn tau_draw(exact: &Exact) -> f64 {
    U * (16.0 * largest_input(exact) + 5.0)
}

/// Bounds TV(πT, π) of a sweep: every unit is drawn once.
pub(crate) fn tau_sweep(exact: &Exact) -> f64 {
    exact.units as f64 * tau_draw(exact)
}

//! Proves that machines keep their energies when they change form, and that Hopfield networks remember.

mod common;

use common::machines::{bits, exact, machine, machines as all};
use common::{close, key};
use harmonium::bm::{Colouring, Graph, Header, Learning, Machine, Rule, Scan};
use harmonium::persist::{Kind, Loaded, RealVfs, Tensor, Values};
use harmonium::rbm::Rbm;
use harmonium::units::Units;
use harmonium::{Batch, BitMatrix, Gibbs, HasParams};
use harmonium_oracle::rng::Rng;

/// E(t) = E'(s) + constant in every state. Couplings times 4 or ¼ are the same on a grid four times as coarse or as fine;
/// sums of several terms, and biases, are rounded to f32 and to the grid: 22 bits of the largest.
#[test]
fn bits_become_spins_and_spins_bits() {
    let dense = |units: Units| machine(Graph::complete(5).unwrap(), units, &[[0, 1, 3], [1, 2, 4]], 0.8, 4);
    for machine in
        [dense(Units::Bernoulli(5)), dense(Units::Spin(5)), all(0.8)[0].clone(), all(0.8)[2].clone()]
    {
        let spin = matches!(machine.units(), Units::Spin(_));
        let (other, constant) = if spin { machine.to_bits() } else { machine.to_spins() }.unwrap();
        let (x, y) = (exact(&machine), exact(&other));
        for state in x.states() {
            close(x.energy(&state), y.energy(&state) + constant, 1e-4, &state);
        }
        let (back, again) = if spin { other.to_spins() } else { other.to_bits() }.unwrap();
        close(constant + again, 0.0, 1e-4, "constants cancel");
        let same = back.couplings().iter().zip(machine.couplings()).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(same && back.units() == machine.units());
        close(other.log_z().unwrap() - constant, machine.log_z().unwrap(), 1e-4, "ln Z");
    }
    assert!(all(0.8)[4].to_spins().is_err() && all(0.8)[0].to_bits().is_err());
    let sparse = all(0.8)[1].clone();
    assert!(sparse.to_spins().unwrap_err().to_string().contains("an edge between"));
}

/// A restricted machine, as a general one, has the same energies bit for bit of the weights; and comes back.
#[test]
fn restricted_machines_become_general_and_come_back() {
    let kinds = |n: usize| [Units::Bernoulli(n), Units::Spin(n), Units::Categorical { units: n, classes: 3 }];
    for (visible, hidden) in kinds(3).into_iter().zip(kinds(2)) {
        let rbm = Rbm::new(visible.clone(), hidden.clone(), key(4)).unwrap();
        let machine = rbm.to_machine().unwrap();
        let x = exact(&machine);
        let rows = bits(&x, &x.states());
        let cut =
            |from: usize, to: usize| BitMatrix::from_fn(rows.rows(), to - from, |r, f| rows.get(r, from + f));
        let (nv, nh) = (rbm.visible_units(), rbm.hidden_units());
        let expected = rbm.view().energies(&cut(0, nv).into(), &cut(nv, nv + nh).into());
        let got = machine.view().energies(&rows);
        // The restricted machine converts its sums to f32.
        got.iter().zip(expected).for_each(|(got, expected)| close(*got, expected, 1e-6, ""));
        close(machine.log_z().unwrap(), rbm.log_z().unwrap(), 1e-6, "ln Z");
        let back = Rbm::from_machine(&machine).unwrap();
        assert_eq!(back.weights(), rbm.weights());
        assert_eq!(back.to_machine().unwrap().digest(), machine.digest());
    }
    let mixed = Rbm::new(Units::Bernoulli(3), Units::Spin(2), key(1)).unwrap();
    assert!(mixed.to_machine().is_err());
    let full = Machine::new(Graph::complete(4).unwrap(), Units::Spin(4)).unwrap().with_hidden(2).unwrap();
    let said = Rbm::from_machine(&full).unwrap_err().to_string();
    assert_eq!(said, "graph at edge 0: expected edges between a visible and a hidden unit, got 0 and 1");
}

fn random_patterns(rows: usize, spins: usize, seed: u64) -> BitMatrix {
    let mut rng = Rng::new(seed);
    BitMatrix::from_fn(rows, spins, |_, _| rng.bernoulli(0.5))
}

/// Turns a share of the spins of each pattern.
fn damaged(patterns: &BitMatrix, share: f64, seed: u64) -> BitMatrix {
    let mut rng = Rng::new(seed);
    BitMatrix::from_fn(patterns.rows(), patterns.units(), |r, u| patterns.get(r, u) != rng.bernoulli(share))
}

/// Gives the mean overlap of what is recalled with what was stored.
fn recalled(patterns: &BitMatrix, learning: Learning, share: f64) -> f64 {
    let network = Machine::hopfield(&Batch::from_bits(patterns.clone()).unwrap(), learning).unwrap();
    let start = network.unpack(damaged(patterns, share, 9).into()).unwrap();
    let end = network.recall(&start, 200).unwrap();
    assert!(end.settled);
    let alike = |row: usize, u: usize| end.state.bits().get(row, u) == patterns.get(row, u);
    let same_in = |row: usize| (0..patterns.units()).filter(|&u| alike(row, u)).count();
    let same: usize = (0..patterns.rows()).map(same_in).sum();
    2.0 * same as f64 / (patterns.rows() * patterns.units()) as f64 - 1.0
}

/// Hebb's rule keeps 0.138 N random patterns (Amit, Gutfreund & Sompolinsky 1985): with N = 500 it repairs 5 % of errors at a
/// load of 0.08 and has lost its patterns at 0.25. The projection keeps those, and half as many as there are spins exactly.
#[test]
fn hopfield_networks_remember_up_to_their_capacity() {
    let n = 500;
    assert!(recalled(&random_patterns(40, n, 1), Learning::Hebb, 0.05) > 0.98);
    assert!(recalled(&random_patterns(125, n, 2), Learning::Hebb, 0.05) < 0.7);
    assert!(recalled(&random_patterns(125, n, 2), Learning::Projection, 0.05) > 0.99);
    assert_eq!(recalled(&random_patterns(250, n, 3), Learning::Projection, 0.0), 1.0);
}

/// Each round of a recall lowers the energy or leaves it, and at rest no single flip lowers it.
#[test]
fn recall_goes_downhill_and_ends_in_a_minimum() {
    let patterns = Batch::from_bits(random_patterns(6, 40, 4)).unwrap();
    let network = Machine::hopfield(&patterns, Learning::Hebb).unwrap();
    let mut state = network.init(30, key(1));
    let mut before = network.energy(&state);
    loop {
        let next = network.recall(&state, 1).unwrap();
        let after = network.energy(&next.state);
        assert!(after.iter().zip(&before).all(|(after, before)| after <= before));
        (state, before) = (next.state, after);
        if next.settled {
            break;
        }
    }
    for unit in 0..40 {
        let flipped = BitMatrix::from_fn(30, 40, |r, u| state.bits().get(r, u) != (u == unit));
        let other = network.energy(&network.unpack(flipped.into()).unwrap());
        assert!(other.iter().zip(&before).all(|(other, rest)| other >= rest));
    }
    let twice = Batch::from_bits(BitMatrix::from_fn(2, 5, |_, u| u == 1)).unwrap();
    assert!(Machine::hopfield(&twice, Learning::Projection).is_err(), "patterns that depend on each other");
}

/// A file brings back machine, grid, hidden units, base, rule and scan; what does not belong is refused.
#[test]
fn machines_come_back_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("machine.hmf");
    for (n, plain) in all(0.8).into_iter().enumerate() {
        let triples = plain.triples().to_vec();
        let colouring = Colouring::greedy(plain.graph(), &triples);
        let mut machine = plain.with_hidden(n % 3).unwrap().with_scan(Scan::Coloured(colouring)).unwrap();
        machine = machine.with_rule(Rule::Metropolis);
        machine.set_base(&vec![0.25; machine.biases().len()]).unwrap();
        machine.save(&RealVfs, &path).unwrap();
        let back = Machine::load(&RealVfs, &path).unwrap();
        assert_eq!(
            (back.digest(), back.base(), back.hidden_units()),
            (machine.digest(), machine.base(), n % 3)
        );
        let [mut a, mut b] = [machine.init(20, key(1)), back.init(20, key(1))];
        machine.run(&mut a, 0..3, key(2));
        back.run(&mut b, 0..3, key(2));
        assert_eq!(a, b);
    }
    let empty = Machine::new(Graph::new(2, []).unwrap(), Units::Spin(2)).unwrap();
    empty.save(&RealVfs, &path).unwrap();
    assert_eq!(Machine::load(&RealVfs, &path).unwrap(), empty);
    let (header, tensors) = all(0.8)[0].to_tensors();
    let said = |header: &Header, tensors: Vec<Tensor>| {
        let loaded = Loaded { kind: Kind::Model, header: header.clone(), tensors };
        Machine::from_loaded(loaded).unwrap_err().to_string()
    };
    let other = Header { model: "rbm".into(), ..header.clone() };
    assert_eq!(said(&other, tensors.clone()), "header at model: expected machine, got \"rbm\"");
    let without = tensors.iter().filter(|tensor| tensor.name != "couplings").cloned().collect();
    assert_eq!(said(&header, without), "couplings: expected 10 entries, got 0 entries");
    // A header that names many units must not fill the memory: it is compared with what is there first.
    let large = Header { units: Units::Bernoulli(1 << 20), ..header.clone() };
    assert_eq!(said(&large, tensors.clone()), "biases: expected 1048576 of them, got 5");
    let mut negative = tensors.clone();
    negative[0].values = Values::I64(vec![-1; 20]);
    assert_eq!(said(&header, negative), "tensors at edges: expected indices, got -1");
    let mut unknown = tensors;
    unknown.push(Tensor { name: "more".into(), shape: vec![1], values: Values::F32(vec![0.0]) });
    assert!(said(&header, unknown).contains("a tensor nobody asked for"));
}

//! Proves samplers of one's own energies over sites: transition matrices (O3), no drift (§2.4), ln Z by annealing (O8).

mod common;

use common::key;
use common::own::Table;
use common::tolerance::TAU_0;
use harmonium::evaluate::{Ais, Betas, forward};
use harmonium::sample::own::{Discrete, Order, Product, Sites, Update, heat_bath, informed, metropolis};
use harmonium::units::States;
use harmonium::{Annealed, Gibbs, Thermal};
use harmonium_oracle::rng::Rng;
use harmonium_oracle::sample::Table as Draws;
use harmonium_oracle::stats::{tv, tv_star, z_star};
use harmonium_oracle::transition::Matrix;
use rand::RngCore;

const UPDATES: [Update; 3] = [Update::HeatBath, Update::Metropolis, Update::Informed { moves: 3 }];

/// Tables over sites of 2 to 4 states.
fn tables() -> Vec<Table> {
    let shapes: [&[u16]; 4] = [&[2, 2], &[3, 2, 4], &[2, 2, 2, 2, 2], &[5]];
    let all = shapes.iter().enumerate();
    all.flat_map(|(n, shape)| [0.5, 1.5].map(|scale| Table::normal(shape, scale, n as u64))).collect()
}

/// Finds by bisection, of each outcome, the first word that gives it and the share of words that do; outcomes rise.
fn shares(outcomes: usize, of: impl Fn(u32) -> usize) -> Vec<(u32, f64)> {
    let first = |outcome: usize| {
        let (mut least, mut most) = (0_u64, 1 << 32);
        while least < most {
            let middle = least.midpoint(most);
            if of(middle as u32) < outcome { least = middle + 1 } else { most = middle }
        }
        least
    };
    let starts: Vec<u64> = (0..outcomes).map(first).chain([1 << 32]).collect();
    starts.windows(2).map(|w| (w[0] as u32, (w[1] - w[0]) as f64 / 32.0_f64.exp2())).collect()
}

/// Makes a transition matrix of a function from a start to its row.
fn matrix(table: &Table, row: impl Fn(Vec<u16>, &mut [f64])) -> Matrix {
    let count = table.energies.len();
    let rows = (0..count).map(|index| {
        let mut out = vec![0.0; count];
        row(table.state(index), &mut out);
        out
    });
    Matrix::from_rows(&rows.collect::<Vec<_>>())
}

fn after(x: &[u16], update: impl FnOnce(&mut [u16])) -> Vec<u16> {
    let mut y = x.to_vec();
    update(&mut y);
    y
}

fn heat_bath_matrix(table: &Table, beta: f64, site: usize) -> Matrix {
    matrix(table, |x, out| {
        let drawn = |word| after(&x, |y| heat_bath(table, beta, y, site, word));
        for (word, p) in shares(table.states[site].into(), |word| drawn(word)[site].into()) {
            out[table.index(&drawn(word))] += p;
        }
    })
}

/// The second word decides: of those below the threshold all accept.
fn decided(table: &Table, x: &[u16], p: f64, out: &mut [f64], update: impl Fn(&mut [u16], u32)) {
    let end = |word| after(x, |y| update(y, word));
    let chances = shares(2, |word| usize::from(end(word) == x));
    out[table.index(&end(0))] += p * chances[0].1;
    out[table.index(x)] += p * chances[1].1;
}

fn metropolis_matrix(table: &Table, beta: f64, site: usize) -> Matrix {
    let states = usize::from(table.states[site]);
    matrix(table, |x, out| {
        // A second word of 0 accepts all that has a chance above 2⁻³³.
        let ahead = |word| {
            let y = after(&x, |y| metropolis(table, beta, y, site, [word, 0]));
            (usize::from(y[site]) + states - usize::from(x[site])) % states - 1
        };
        for (word, p) in shares(states - 1, ahead) {
            decided(table, &x, p, out, |y, second| metropolis(table, beta, y, site, [word, second]));
        }
    })
}

fn informed_matrix(table: &Table, beta: f64) -> Matrix {
    let offset = |site: usize| table.states[..site].iter().map(|&k| usize::from(k)).sum::<usize>();
    matrix(table, |x, out| {
        let place = |word| {
            let y = after(&x, |y| informed(table, beta, y, [word, 0]));
            let site = (0..x.len()).find(|&site| x[site] != y[site]).expect("a change");
            offset(site) + usize::from(y[site])
        };
        for (word, p) in shares(offset(x.len()), place).into_iter().filter(|(_, p)| *p > 0.0) {
            decided(table, &x, p, out, |y, second| informed(table, beta, y, [word, second]));
        }
    })
}

/// Gives the matrices of single updates: of each site, or of one change.
fn single(table: &Table, update: Update, beta: f64) -> Vec<Matrix> {
    let sites = 0..table.states.len();
    match update {
        Update::HeatBath => sites.map(|site| heat_bath_matrix(table, beta, site)).collect(),
        Update::Metropolis => sites.map(|site| metropolis_matrix(table, beta, site)).collect(),
        Update::Informed { .. } => vec![informed_matrix(table, beta)],
    }
}

/// O3: every update is in detailed balance. Each end of a range of words is off by at most 2⁻³², and a row has at most twice as
/// many ranges as there are changes, 20. Control: the law at 0.8 β is seen not to be the one.
#[test]
fn updates_are_in_detailed_balance() {
    let bound = 20.0 / 32.0_f64.exp2() + TAU_0;
    for table in tables() {
        for (update, beta) in UPDATES.iter().flat_map(|&u| [0.5_f32, 1.0, 2.0].map(|beta| (u, beta))) {
            let law = table.scaled(f64::from(beta)).law();
            for vague in [false, true] {
                let table = Table { vague, ..table.clone() };
                for kernel in single(&table, update, f64::from(beta)) {
                    assert!(kernel.row_sum_error() <= TAU_0);
                    assert!(kernel.detailed_balance_error(&law) <= bound, "{update:?} at {beta}");
                    assert!(kernel.drift(&law) <= bound, "{update:?} at {beta}");
                }
            }
            let wrong = table.scaled(0.8 * f64::from(beta)).law();
            let seen =
                single(&table, update, f64::from(beta)).iter().map(|k| k.drift(&wrong)).fold(0.0, f64::max);
            assert!(seen > 1e-3, "{update:?} at {beta}: the control moves by {seen}");
        }
    }
}

/// Sweeps there and back are in detailed balance, sweeps forward are not, and both mix.
#[test]
fn sweeps_there_and_back_are_their_own_way_back() {
    let table = Table::normal(&[3, 2, 4], 1.5, 9);
    let (law, bound) = (table.law(), 6.0 * 20.0 / 32.0_f64.exp2() + TAU_0);
    for update in [Update::HeatBath, Update::Metropolis] {
        let sites = single(&table, update, 1.0);
        let through = |order: &[usize]| {
            order[1..].iter().fold(sites[order[0]].clone(), |all, &site| all.then(&sites[site]))
        };
        let (forward, both) = (through(&[0, 1, 2]), through(&[0, 1, 2, 2, 1, 0]));
        assert!(forward.drift(&law) <= bound && both.drift(&law) <= bound);
        assert!(both.detailed_balance_error(&law) <= bound, "{update:?}");
        assert!(forward.detailed_balance_error(&law) > 1e-3, "the control: {update:?}");
        assert!(forward.sweeps_to(&law, 1e-6, 10_000).is_some());
    }
}

/// Three spins in a ring, of which Metropolis would turn up-down-up over for ever, and three without an energy, of which informed moves would
/// always change one.
#[test]
fn moves_that_cost_nothing_do_not_go_round() {
    let unequal = |state: usize| f64::from((state ^ (state >> 1 | state << 2) & 7).count_ones());
    let ring = Table { states: vec![2; 3], energies: (0..8).map(unequal).collect(), vague: false };
    for table in [ring.clone(), ring.scaled(0.0)] {
        for update in UPDATES {
            let parts = single(&table, update, 1.0);
            let sweep = parts[1..].iter().fold(parts[0].clone(), |all, part| all.then(part));
            assert!(sweep.sweeps_to(&table.law(), 1e-6, 10_000).is_some(), "{update:?}");
        }
    }
}

/// A sweep is its updates, one after the other, with the words of the row's stream in turn.
#[test]
fn sweeps_are_made_of_updates() {
    let table = Table::normal(&[3, 2, 4], 1.5, 9);
    let mut rng = Rng::new(4);
    let starts: Vec<usize> = (0..50).map(|_| rng.below(24)).collect();
    for (update, order) in UPDATES.iter().flat_map(|&u| [(u, Order::Forward), (u, Order::ThereAndBack)]) {
        let model = Discrete::new(table.clone(), update).unwrap().in_order(order);
        let mut got = table.rows(&starts);
        model.tempered(0.7).sweep(&mut got, key(3));
        for (row, &start) in starts.iter().enumerate() {
            let (mut x, mut stream) = (table.state(start), key(3).fold_in(0).stream(row as u64));
            let order: &[usize] = if order == Order::Forward { &[0, 1, 2] } else { &[0, 1, 2, 2, 1, 0] };
            let (mut word, beta) = (|| stream.next_u32(), f64::from(0.7_f32));
            match update {
                Update::HeatBath => order.iter().for_each(|&s| heat_bath(&table, beta, &mut x, s, word())),
                Update::Metropolis => {
                    order.iter().for_each(|&s| metropolis(&table, beta, &mut x, s, [word(), word()]));
                }
                Update::Informed { moves } => {
                    (0..moves).for_each(|_| informed(&table, beta, &mut x, [word(), word()]));
                }
            }
            assert_eq!(got.row(row).to_vec(), x, "{update:?}, row {row}");
        }
    }
}

/// §2.4: 20,000 exact starts stay exact, and sweeps at 0.8 β are seen.
#[test]
fn exact_starts_do_not_drift() {
    const N: usize = 20_000;
    let table = Table::normal(&[3, 2, 4], 2.0, 11);
    let (law, mut rng) = (table.law(), Rng::new(12));
    let start: Vec<usize> = (0..N).map(|_| Draws::new(&law).draw(&mut rng)).collect();
    for update in UPDATES {
        let model = Discrete::new(table.clone(), update).unwrap();
        let moved = |beta: f32, sweeps: u64| {
            let mut state = table.rows(&start);
            model.tempered(beta).run(&mut state, 0..sweeps, key(13));
            tv(&table.shares(&state), &law)
        };
        for sweeps in [0, 1, 4, 16] {
            assert!(moved(1.0, sweeps) <= tv_star(&law, N), "{update:?} after {sweeps}");
        }
        assert!(moved(0.8, 16) > 2.0 * tv_star(&law, N), "the control: {update:?}");
    }
}

/// O8: E[w] = Z of every table and update, |z| < z*(24), with 2,000 runs over 12 temperatures.
#[test]
fn annealing_reaches_ln_z() {
    for (n, table) in tables().into_iter().enumerate() {
        for update in UPDATES {
            let model = Discrete::new(table.clone(), update).unwrap();
            let ais = Ais { runs: 2000, betas: Betas::Count(12) };
            let found = forward(&model, &ais, key(n as u64), &mut |_, _| ()).unwrap();
            let error = (found.interval.high - found.log_z).exp_m1() / 3.0;
            let off = (found.log_z - table.z().ln()).exp_m1();
            assert!(off.abs() < z_star(24) * error + TAU_0, "{n}, {update:?}: off by {off}, error {error}");
        }
        let base: f64 = table.states.iter().map(|&k| f64::from(k).ln()).sum();
        assert!((Discrete::new(table, UPDATES[0]).unwrap().base_log_z() - base).abs() < 1e-12);
    }
}

/// Energies of experts add, changes too, and experts over other sites are refused.
#[test]
fn products_are_the_product_of_the_laws() {
    let (a, b) = (Table::normal(&[3, 2], 1.0, 1), Table::normal(&[3, 2], 1.0, 2));
    let sum =
        Table { energies: a.energies.iter().zip(&b.energies).map(|(a, b)| a + b).collect(), ..a.clone() };
    let product = Product(a.clone(), b);
    let (mut changes, mut expected) = ([0.0; 5], [0.0; 5]);
    for x in (0..6).map(|index| a.state(index)) {
        assert!((product.energy(&x) - sum.energy(&x)).abs() < 1e-12);
        product.changes(&x, &mut changes);
        sum.changes(&x, &mut expected);
        assert!(changes.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12));
    }
    let other = Product(a, Table::normal(&[2, 3], 1.0, 2));
    let refused = Discrete::new(other, Update::HeatBath).unwrap_err().to_string();
    assert_eq!(refused, "states: expected 3 in both experts, got 2");
}

#[test]
fn what_does_not_fit_is_named() {
    let say = |states: &[u16], update| {
        Discrete::new(Table::normal(states, 1.0, 1), update).unwrap_err().to_string()
    };
    assert_eq!(say(&[2, 1], Update::HeatBath), "states at site 1: expected 2 or more, got 1");
    assert_eq!(say(&[], Update::HeatBath), "sites: expected 1 or more, got 0");
    assert_eq!(say(&[2], Update::Informed { moves: 0 }), "moves: expected 1 or more, got 0");
    let model = Discrete::new(Table::normal(&[3, 2], 1.0, 1), Update::HeatBath).unwrap();
    let unpack =
        |values: Vec<f32>, width| model.unpack(States::reals(values, width)).unwrap_err().to_string();
    assert_eq!(unpack(vec![0.0, 1.0, 2.0, 2.0], 2), "chains at row 1, site 1: expected 0 to 1, got 2");
    assert_eq!(unpack(vec![0.5, 1.0], 2), "chains at row 0, site 0: expected 0 to 2, got 0.5");
    assert!(unpack(vec![0.0], 1).starts_with("chains: expected 2 units"));
    let state = model.init(7, key(1));
    assert_eq!(model.unpack(model.pack(&state)).unwrap(), state);
}

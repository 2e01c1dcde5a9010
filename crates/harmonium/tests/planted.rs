//! Shows that the proofs catch bugs: plants each known bug in a process of its own and expects the named proof to fail.
//!
//! `cargo test -p harmonium --features mutants --test planted every_planted_bug -- --nocapture` prints the table. The proofs are part of
//! this program as modules, so that it can run itself; without a bug all of them must pass.

// Each proof brings the helpers along, as it does when it is a program of its own.
#![allow(clippy::duplicate_mod)]

#[path = "ais.rs"]
mod ais;
#[path = "anomaly.rs"]
mod anomaly;
#[path = "averaging.rs"]
mod averaging;
#[path = "belief.rs"]
mod belief;
#[path = "belief_features.rs"]
mod belief_features;
#[path = "belief_files.rs"]
mod belief_files;
#[path = "belief_training.rs"]
mod belief_training;
#[path = "belief_updown.rs"]
mod belief_updown;
#[path = "bounds.rs"]
mod bounds;
#[path = "classifier.rs"]
mod classifier;
#[path = "classifier_training.rs"]
mod classifier_training;
#[path = "clusters.rs"]
mod clusters;
#[path = "conditional.rs"]
mod conditional;
#[path = "deep.rs"]
mod deep;
#[path = "deep_centring.rs"]
mod deep_centring;
#[path = "deep_evaluate.rs"]
mod deep_evaluate;
#[path = "deep_mean_field.rs"]
mod deep_mean_field;
#[path = "deep_oracles.rs"]
mod deep_oracles;
#[path = "deep_pretraining.rs"]
mod deep_pretraining;
#[path = "deep_training.rs"]
mod deep_training;
#[path = "denoise.rs"]
mod denoise;
#[path = "divergence.rs"]
mod divergence;
#[path = "doctor.rs"]
mod doctor;
#[path = "dropout.rs"]
mod dropout;
#[path = "estimators.rs"]
mod estimators;
#[path = "estimators_units.rs"]
mod estimators_units;
#[path = "exact.rs"]
mod exact;
#[path = "exact_gradient.rs"]
mod exact_gradient;
#[path = "fast_pcd.rs"]
mod fast_pcd;
#[path = "filling.rs"]
mod filling;
#[path = "gradient.rs"]
mod gradient;
#[path = "gradients_units.rs"]
mod gradients_units;
#[path = "grey_bits.rs"]
mod grey_bits;
#[path = "ground.rs"]
mod ground;
#[path = "growth.rs"]
mod growth;
#[path = "inpaint.rs"]
mod inpaint;
#[path = "invariance.rs"]
mod invariance;
#[path = "ising.rs"]
mod ising;
#[path = "ladder.rs"]
mod ladder;
#[path = "lattice_matrices.rs"]
mod lattice_matrices;
#[path = "lattice_oracles.rs"]
mod lattice_oracles;
#[path = "likelihood.rs"]
mod likelihood;
#[path = "limits.rs"]
mod limits;
#[path = "linear.rs"]
mod linear;
#[path = "linear_classes.rs"]
mod linear_classes;
#[path = "machine.rs"]
mod machine;
#[path = "machine_forms.rs"]
mod machine_forms;
#[path = "machine_oracles.rs"]
mod machine_oracles;
#[path = "machine_reversal.rs"]
mod machine_reversal;
#[path = "machine_sampling.rs"]
mod machine_sampling;
#[path = "machine_training.rs"]
mod machine_training;
#[path = "mean_field.rs"]
mod mean_field;
#[path = "metamorphic.rs"]
mod metamorphic;
#[path = "missing.rs"]
mod missing;
#[path = "network.rs"]
mod network;
#[path = "network_codes.rs"]
mod network_codes;
#[path = "network_options.rs"]
mod network_options;
#[path = "network_starts.rs"]
mod network_starts;
#[path = "network_tuning.rs"]
mod network_tuning;
#[path = "noisy_rectified.rs"]
mod noisy_rectified;
#[path = "optimizers.rs"]
mod optimizers;
#[path = "own_machine.rs"]
mod own_machine;
#[path = "own_rbm.rs"]
mod own_rbm;
#[path = "own_reals.rs"]
mod own_reals;
#[path = "own_sites.rs"]
mod own_sites;
#[path = "pseudo_gradient.rs"]
mod pseudo_gradient;
#[path = "raise.rs"]
mod raise;
#[path = "randomness.rs"]
mod randomness;
#[path = "ratings.rs"]
mod ratings;
#[path = "real_matrices.rs"]
mod real_matrices;
#[path = "regularizers.rs"]
mod regularizers;
#[path = "replicated.rs"]
mod replicated;
#[path = "reproducible.rs"]
mod reproducible;
#[path = "resume.rs"]
mod resume;
#[path = "sampling.rs"]
mod sampling;
#[path = "saving.rs"]
mod saving;
#[path = "stopping.rs"]
mod stopping;
#[path = "tables.rs"]
mod tables;
#[path = "tempered_oracles.rs"]
mod tempered_oracles;
#[path = "tempering.rs"]
mod tempering;
#[path = "trajectory.rs"]
mod trajectory;
#[path = "two_sample.rs"]
mod two_sample;
#[path = "units.rs"]
mod units;
#[path = "weights.rs"]
mod weights;

use std::collections::HashSet;
use std::process::Command;

/// The variable that names the one bug of a process.
const VARIABLE: &str = "HARMONIUM_MUTANT";

/// Is a bug of the catalogue with the oracle that must catch it, and the test that is this oracle.
struct Bug {
    id: &'static str,
    what: &'static str,
    oracle: &'static str,
    proof: &'static str,
}

const fn bug(id: &'static str, what: &'static str, oracle: &'static str, proof: &'static str) -> Bug {
    Bug { id, what, oracle, proof }
}

const BUGS: [Bug; 318] = [
    bug("B01", "negative phase pairs h with the wrong v", "O7", "estimators::cd_has_its_expectation"),
    bug("B02", "AIS anneals with the wrong parameters", "O8", "ais::weights_are_unbiased"),
    bug(
        "B14",
        "sign of the loss reversed",
        "O2",
        "gradient::exact_phases_give_the_gradient_of_the_likelihood",
    ),
    bug("B15", "visible units not drawn but set to the mode", "no drift", "invariance::sweeps_do_not_drift"),
    bug(
        "B16",
        "last hidden statistic sampled",
        "O7",
        "estimators::negative_phases_of_pcd_are_noise_free_given_the_chains",
    ),
    bug("B17", "positive phase sampled", "O7", "estimators::positive_phases_are_noise_free"),
    bug("B18", "reconstruction error called CD", "O7", "estimators::cd_has_its_expectation"),
    bug(
        "B23",
        "short last batch divided by the full size",
        "O10",
        "metamorphic::short_last_batches_are_means_over_their_own_rows",
    ),
    bug("B24", "pseudo-likelihood scaled by the width", "O1", "exact::pseudo_likelihoods_are_exact"),
    bug(
        "B25",
        "runaway numbers go unnoticed",
        "extremes",
        "divergence::runaway_trainings_stop_at_the_last_good_state",
    ),
    bug("B27", "fresh chains are old ones moved", "O4", "invariance::fresh_chains_follow_the_visible_biases"),
    bug(
        "B30",
        "resume starts keys at step 0",
        "resume",
        "resume::a_training_resumed_after_any_step_ends_alike",
    ),
    bug(
        "B31",
        "every epoch has the order of epoch 0",
        "shuffle",
        "randomness::every_epoch_has_its_own_order",
    ),
    bug(
        "B32",
        "moments absent from the checkpoint",
        "resume",
        "resume::a_training_resumed_after_any_step_ends_alike",
    ),
    bug("B33", "mismatched tensors taken", "resume", "resume::a_refused_snapshot_changes_nothing"),
    bug("B34", "L1 adds λ|w| for λ sign w", "O2", "gradient::decay_adds_to_the_weights_alone"),
    bug("B35", "biases decay along with W", "O2", "gradient::decay_adds_to_the_weights_alone"),
    bug("B36", "momentum applied twice", "closed form", "gradient::momentum_has_its_closed_form"),
    bug("B37", "β missing in one conditional", "O3", "invariance::real_draws_obey_the_thresholds"),
    bug("B38", "hidden bias missing in the free energy", "O1", "exact::free_energies_are_exact"),
    bug("B39", "couplings counted twice in the energy", "O1", "exact::energies_are_exact"),
    bug("B40", "chains start anew at every update", "O7", "estimators::pcd_has_its_expectation"),
    bug("B42", "both half-steps read the same words", "O14", "randomness::half_steps_draw_apart"),
    bug(
        "B43",
        "stream depends on the thread",
        "R4",
        "reproducible::threads_and_back_ends_change_no_bit_of_a_training",
    ),
    bug("B44", "stream ignores the row", "O14", "randomness::rows_draw_apart"),
    bug("B45", "probabilities cut to 16 bits", "O7", "estimators::codes_of_probabilities_err_to_both_sides"),
    bug("B46", "sums overflow on wide layers", "O1", "exact::sums_of_wide_layers_do_not_overflow"),
    bug("B47", "grid not refreshed after an update", "O1", "gradient::the_grid_follows_an_update"),
    bug("B48", "padding bits taken for units", "O10", "metamorphic::padding_bits_stay_zero"),
    bug(
        "B52",
        "values in [−3, 3] taken for bits",
        "bad input",
        "divergence::values_other_than_bits_are_refused",
    ),
    bug("B53", "log-mean-exp without −ln n", "O8", "ais::weights_are_unbiased"),
    bug("B54", "base ln Z left out", "O8", "ais::weights_are_unbiased"),
    bug(
        "B55",
        "mean field that misses what comes from above",
        "fixed point",
        "deep_mean_field::means_come_to_a_fixed_point",
    ),
    bug(
        "B56",
        "centring corrects W but not the biases",
        "O2",
        "gradient::centring_is_a_step_in_centred_coordinates",
    ),
    bug(
        "B57",
        "file renamed without sync",
        "crash order",
        "saving::files_are_synced_before_they_are_renamed",
    ),
    bug("B59", "section checksum not compared", "bit flips", "saving::damage_is_named_by_section"),
    bug(
        "B60",
        "a refusal leaves the training half restored",
        "digest",
        "resume::a_refused_snapshot_changes_nothing",
    ),
    bug("B61", "both powers of Adam from β₁", "O2", "optimizers::adam_is_algorithm_1"),
    bug("B62", "AdamW decays biases", "O2", "optimizers::adamw_is_algorithm_2"),
    bug(
        "B63",
        "enhanced gradient centred on the data alone",
        "O2",
        "regularizers::enhanced_gradients_are_differences_of_covariances",
    ),
    bug("B64", "group L1 pulls by w for sign w", "O2", "regularizers::group_l1_is_the_slope_of_its_penalty"),
    bug("B65", "proximal step walks through zero", "closed form", "bounds::proximal_steps_make_exact_zeros"),
    bug(
        "B66",
        "exponential mean never forgets",
        "closed form",
        "averaging::the_exponential_mean_begins_as_a_plain_one",
    ),
    bug(
        "B67",
        "rate grows where gradients turn back",
        "closed form",
        "bounds::rates_follow_the_cosine_of_successive_gradients",
    ),
    bug(
        "B68",
        "average absent from the checkpoint",
        "resume",
        "resume::a_training_resumed_after_any_step_ends_alike",
    ),
    bug(
        "B69",
        "clipped by the square of the norm",
        "O2",
        "regularizers::clipping_shortens_and_does_not_turn",
    ),
    bug("B70", "fast parameters do not decay", "rule", "fast_pcd::fast_parameters_follow_their_rule"),
    bug("B71", "chains run on the slow parameters", "O7", "fast_pcd::chains_run_on_the_sum_of_both"),
    bug(
        "B72",
        "fast parameters absent from the checkpoint",
        "resume",
        "resume::a_training_resumed_after_any_step_ends_alike",
    ),
    bug(
        "B73",
        "minus missing in the swap's exponent",
        "O3",
        "tempering::swaps_are_in_detailed_balance_with_the_joint_law",
    ),
    bug("B74", "every rung sweeps at β = 1", "O7", "tempering::the_first_rung_has_its_expectation"),
    bug("B75", "statistics of the hottest rung", "O7", "tempering::the_first_rung_has_its_expectation"),
    bug(
        "B76",
        "rounds of swaps absent from the checkpoint",
        "resume",
        "resume::a_training_resumed_after_any_step_ends_alike",
    ),
    bug(
        "B77",
        "enumeration only ever adds units",
        "O2",
        "exact_gradient::gradients_are_those_of_the_enumeration",
    ),
    bug(
        "B78",
        "pseudo-likelihood forgets the other units' weights",
        "O2",
        "pseudo_gradient::gradients_are_differences_of_the_pseudo_likelihood",
    ),
    bug(
        "B79",
        "TAP without its reaction",
        "fixed point",
        "mean_field::fixed_points_are_stationary_points_of_the_expansion",
    ),
    bug(
        "B80",
        "chains in places of their own pass for moving",
        "diagnosis",
        "doctor::chains_that_never_cross_are_stuck",
    ),
    bug("B81", "only units that are never on count as dead", "diagnosis", "doctor::dead_units_are_found"),
    bug(
        "B82",
        "free-energy gap with the wrong sign",
        "diagnosis",
        "doctor::a_machine_that_learns_rows_by_heart_overfits",
    ),
    bug(
        "B83",
        "patience never ends",
        "stopping",
        "stopping::a_training_stops_when_patience_ends_and_the_best_state_is_back",
    ),
    bug(
        "B84",
        "rollbacks of the guard not counted",
        "extremes",
        "divergence::a_thousandfold_rate_is_lowered_until_every_training_finishes",
    ),
    bug("B85", "spins without their shift", "O1", "units::layers_are_those_of_the_formulas"),
    bug("B86", "second moments without the variance", "O2", "units::layers_are_those_of_the_formulas"),
    bug("B87", "products of spins without their means", "O2", "units::contrasts_are_those_of_the_formulas"),
    bug(
        "B88",
        "what is there drifts with what is missing",
        "O6",
        "missing::missing_values_follow_their_conditional_law",
    ),
    bug(
        "B89",
        "samples come out standardised",
        "units",
        "units::mixed_tables_are_learnt_and_sampled_in_their_own_units",
    ),
    bug(
        "B90",
        "the label drawn as if it received nothing",
        "no drift",
        "classifier::sweeps_leave_the_joint_law_alone",
    ),
    bug("B91", "p(y | x) without U", "O1", "classifier::predictions_are_exact"),
    bug(
        "B92",
        "means of U not weighed with the residual",
        "O2",
        "classifier::discriminative_gradients_are_differences_of_the_conditional_likelihood",
    ),
    bug(
        "B93",
        "a drawn class stays in the positive phase",
        "O2",
        "classifier::hybrid_gradients_are_differences_of_their_objective",
    ),
    bug(
        "B94",
        "each kind of rows counts as a whole batch",
        "O2",
        "classifier::hybrid_gradients_are_differences_of_their_objective",
    ),
    bug(
        "B95",
        "chains of hybrid training not kept",
        "resume",
        "classifier_training::a_training_resumed_after_any_step_ends_alike",
    ),
    bug(
        "B96",
        "variance of the noise taken for its deviation",
        "law",
        "noisy_rectified::draws_follow_their_law",
    ),
    bug(
        "B97",
        "means of noisy units without the noise",
        "O1",
        "noisy_rectified::means_and_cumulants_are_those_of_the_formulas",
    ),
    bug(
        "B98",
        "ln Z given of units without an energy",
        "refusal",
        "noisy_rectified::what_has_no_ground_is_refused",
    ),
    bug(
        "B99",
        "hidden biases not multiplied by the length",
        "O1",
        "replicated::energies_and_features_are_those_of_the_formulas",
    ),
    bug("B100", "h for D h in the gradient", "O2", "replicated::contrasts_are_slopes_of_the_free_energy"),
    bug(
        "B101",
        "words drawn without the topics",
        "no drift",
        "replicated::sweeps_leave_documents_of_every_length_alone",
    ),
    bug("B102", "base ln Z of one token", "O8", "replicated::annealing_reaches_ln_z_of_every_length"),
    bug(
        "B103",
        "g(h) without the hidden biases",
        "O1",
        "replicated::partition_functions_are_exact_at_every_length",
    ),
    bug("B104", "condition does not reach the hidden units", "O1", "conditional::likelihoods_are_exact"),
    bug(
        "B105",
        "grid follows the weights alone",
        "exact values",
        "conditional::the_grid_follows_all_matrices",
    ),
    bug("B106", "free energy without the condition", "O1", "conditional::likelihoods_are_exact"),
    bug(
        "B107",
        "history forgets the newest frame",
        "closed form",
        "conditional::rolling_moves_the_window_by_one_frame",
    ),
    bug("B108", "growth forgets the old biases", "O1", "growth::growth_leaves_the_law_as_it_is"),
    bug(
        "B109",
        "averages of new units begin at 0",
        "still training",
        "growth::new_units_are_drawn_once_and_their_averages_begin_with_them",
    ),
    bug(
        "B110",
        "masks keep the numbers of another width",
        "exact zeros",
        "growth::masks_hold_for_the_last_width_throughout",
    ),
    bug(
        "B111",
        "chains use units that are left out",
        "O7",
        "dropout::the_gradient_is_the_mean_of_thinned_machines",
    ),
    bug(
        "B112",
        "statistics of units that are left out",
        "O7",
        "dropout::the_gradient_is_the_mean_of_thinned_machines",
    ),
    bug("B113", "one mask for all rows", "O7", "dropout::the_gradient_is_the_mean_of_thinned_machines"),
    bug("B114", "marginals and moments without weights", "weighted sums", "weights::moments_are_weighted"),
    bug(
        "B115",
        "fractions of a weight always rounded the same way",
        "expectation",
        "weights::rows_come_as_often_as_their_weights_say",
    ),
    bug(
        "B116",
        "updates that break the ladder pass",
        "enumeration",
        "trajectory::updates_that_break_the_ladder_are_rejected",
    ),
    bug(
        "B117",
        "the restored model is not kept",
        "rule",
        "trajectory::updates_that_break_the_ladder_are_rejected",
    ),
    bug(
        "B118",
        "rungs move to where swaps succeed",
        "enumeration",
        "tempering::an_adapted_ladder_swaps_alike_everywhere",
    ),
    bug(
        "B119",
        "adapted ladder absent from the checkpoint",
        "resume",
        "resume::a_training_resumed_after_any_step_ends_alike",
    ),
    bug(
        "B120",
        "real values and spins taken for bits",
        "refusal",
        "estimators_units::the_fisher_matrix_of_other_units_is_refused",
    ),
    bug(
        "B121",
        "means of a phase that is empty",
        "refusal",
        "estimators_units::finished_gradients_are_refused_where_both_phases_are_needed",
    ),
    bug(
        "B122",
        "the larger layer is listed",
        "O2",
        "gradients_units::exact_gradients_are_those_of_the_enumeration_on_every_pair",
    ),
    bug(
        "B123",
        "pseudo-likelihood of classes forgets the other units' weights",
        "O2",
        "gradients_units::pseudo_gradients_are_differences_of_the_pseudo_likelihood_on_every_pair",
    ),
    bug("B124", "missing values read as zeros", "tables", "tables::gaps_are_missing_and_no_zeros"),
    bug("B125", "features beside their units", "tables", "tables::features_stand_where_their_units_are"),
    bug("B126", "rare values beyond every scale", "tables", "tables::rare_values_stay_small"),
    bug(
        "B127",
        "hidden units judged by their means alone",
        "diagnosis",
        "doctor::silent_units_of_other_kinds_are_found",
    ),
    bug(
        "B128",
        "annealing runs counted and not weighed",
        "diagnosis",
        "doctor::an_annealing_that_few_runs_decide_is_found",
    ),
    bug(
        "B129",
        "columns by their place in spite of names",
        "tables",
        "tables::columns_are_found_by_their_names",
    ),
    bug("B130", "neighbours may share a colour", "refusal", "machine::what_is_wrong_is_named"),
    bug(
        "B131",
        "couplings on the grid not refreshed after an update",
        "O9",
        "machine_training::machines_learn_from_rows_with_gaps",
    ),
    bug(
        "B132",
        "Metropolis accepts by half of the energy",
        "O3",
        "machine_sampling::transition_matrices_leave_the_law_invariant",
    ),
    bug("B133", "biases not annealed", "O1", "machine::views_scale_and_mix_energies"),
    bug(
        "B134",
        "a spin drawn from half of its activation",
        "O3",
        "machine_sampling::heat_bath_draws_from_the_conditionals",
    ),
    bug("B135", "all chains draw the same words", "O14", "machine_sampling::sweeps_are_draws_in_their_order"),
    bug("B136", "every edge counted twice in the energy", "O1", "machine::energies_and_laws_are_exact"),
    bug(
        "B137",
        "sign of products of two spins",
        "O2",
        "machine_training::statistics_of_chains_are_those_of_their_states",
    ),
    bug(
        "B138",
        "missing values drawn from the same words in every sweep",
        "G-test",
        "machine_sampling::missing_values_are_completed_from_the_conditional",
    ),
    bug(
        "B139",
        "one end of an edge counted twice in the pseudo-likelihood",
        "O2",
        "machine::gradients_are_differences_of_likelihoods",
    ),
    bug(
        "B140",
        "linear response without Onsager's reaction",
        "enumeration",
        "machine_training::mean_field_is_near_at_weak_couplings",
    ),
    bug("B141", "annealing weighs with the wrong sign", "O8", "machine::annealing_finds_log_z"),
    bug(
        "B142",
        "offsets forgotten when bits become spins",
        "O1",
        "machine_forms::bits_become_spins_and_spins_bits",
    ),
    bug(
        "B143",
        "recall goes uphill",
        "closed form",
        "machine_forms::recall_goes_downhill_and_ends_in_a_minimum",
    ),
    bug(
        "B144",
        "weights transposed on the way to a general machine",
        "O1",
        "machine_forms::restricted_machines_become_general_and_come_back",
    ),
    bug(
        "B150",
        "bonds that are not satisfied do not count",
        "enumeration",
        "ising::runs_have_the_energy_and_the_heat_of_the_enumeration",
    ),
    bug("B151", "both colours draw the same words", "O4", "ising::sweeps_leave_the_law_alone"),
    bug("B152", "bonds hold with 1 − e^−J/T", "O4", "ising::sweeps_leave_the_law_alone"),
    bug("B153", "a coin for each site of a cluster", "O4", "ising::sweeps_leave_the_law_alone"),
    bug("B154", "neighbours in the row on the wrong side", "O4", "ising::sweeps_leave_the_law_alone"),
    bug("B155", "a bond costs half of its energy", "O4", "ising::sweeps_leave_the_law_alone"),
    bug("B156", "heat bath forgets sites with one satisfied bond", "O4", "ising::sweeps_leave_the_law_alone"),
    bug("B157", "rows do not close to a ring", "O4", "ising::sweeps_leave_the_law_alone"),
    bug(
        "B158",
        "the last product of Kaufman without its sign",
        "O1",
        "ising::kaufmans_sum_is_that_of_the_enumeration",
    ),
    bug(
        "B159",
        "errors of a run taken for those of its parts",
        "enumeration",
        "ising::runs_have_the_energy_and_the_heat_of_the_enumeration",
    ),
    bug("B160", "flips of spins counted once", "O4", "ising::sequential_sweeps_leave_the_law_alone"),
    bug("B161", "bounds of bits for spins", "O4", "ising::sequential_sweeps_leave_the_law_alone"),
    bug(
        "B170",
        "observers see the burn-in",
        "definition",
        "sampling::observers_see_the_sweeps_that_were_asked_for",
    ),
    bug("B171", "chains not cut in halves", "a shared trend", "sampling::a_trend_of_all_chains_is_no_mixing"),
    bug(
        "B172",
        "round trips counted at every stay",
        "bound of theory",
        "sampling::an_adapted_ladder_swaps_alike_and_carries_replicas_round",
    ),
    bug("B173", "all rungs at β = 1", "enumeration", "sampling::tempered_chains_have_the_law_of_the_model"),
    bug(
        "B174",
        "samples of the last rung",
        "enumeration",
        "sampling::tempered_chains_have_the_law_of_the_model",
    ),
    bug(
        "B175",
        "trace of the energies as they are",
        "definition",
        "sampling::annealing_finds_the_ground_state",
    ),
    bug(
        "B176",
        "tempered transitions always accepted",
        "no drift",
        "sampling::tempered_transitions_do_not_drift",
    ),
    bug(
        "B177",
        "second expert without a voice",
        "enumeration",
        "own_sites::products_are_the_product_of_the_laws",
    ),
    bug("B178", "energy in place of its change", "O3", "own_sites::updates_are_in_detailed_balance"),
    bug("B179", "informed proposals without correction", "O3", "own_sites::updates_are_in_detailed_balance"),
    bug("B180", "ln Z of the uniform base left out", "O8", "own_sites::annealing_reaches_ln_z"),
    bug(
        "B181",
        "transitions by sweeps that have no way back",
        "refusal",
        "sampling::tempered_transitions_do_not_drift",
    ),
    bug(
        "B182",
        "leapfrog without half steps",
        "O11",
        "own_reals::the_leapfrog_reverses_and_is_of_second_order",
    ),
    bug("B183", "Langevin accepted without q", "no drift", "own_reals::exact_starts_do_not_drift"),
    bug("B184", "momentum forgotten in the acceptance", "no drift", "own_reals::exact_starts_do_not_drift"),
    bug("B185", "Gaussian base not switched off", "O8", "own_reals::annealing_reaches_ln_z"),
    bug(
        "B186",
        "proposals away from where they should go",
        "bound of Taylor",
        "own_rbm::energies_changes_and_proposals_are_those_of_the_free_energy",
    ),
    bug(
        "B190",
        "the bracket ends where the forward interval does",
        "refusal",
        "likelihood::disagreement_of_the_directions_is_width",
    ),
    bug(
        "B191",
        "an estimate is given out however wide",
        "refusal",
        "likelihood::what_says_nothing_is_refused",
    ),
    bug(
        "B192",
        "works of the forward runs with the wrong sign",
        "O8",
        "likelihood::intervals_of_both_directions_together_cover",
    ),
    bug(
        "B193",
        "temperatures placed where log weights do not spread",
        "O8",
        "likelihood::adaptive_temperatures_are_better_at_equal_cost",
    ),
    bug(
        "B194",
        "adversarial accuracy of the samples alone",
        "all pairs",
        "two_sample::neighbours_are_those_of_all_pairs",
    ),
    bug(
        "B195",
        "more training than held-out rows compared with",
        "closed form",
        "two_sample::learning_by_heart_shows",
    ),
    bug(
        "B196",
        "ties of neighbours never count",
        "all pairs",
        "two_sample::neighbours_are_those_of_all_pairs",
    ),
    bug(
        "B197",
        "permutations into sets of other sizes",
        "even p-values",
        "two_sample::p_values_are_even_under_one_law",
    ),
    bug(
        "B198",
        "pairs of a row with itself counted",
        "all pairs",
        "two_sample::discrepancies_are_sums_over_pairs",
    ),
    bug(
        "B199",
        "error of one set for that of both",
        "all pairs",
        "two_sample::moments_are_means_of_products",
    ),
    bug(
        "B200",
        "centring of statistics that count a unit once a token",
        "refusal",
        "replicated::options_without_a_formula_are_refused",
    ),
    bug(
        "B201",
        "sparsity of units that are no bits",
        "refusal",
        "bounds::sparsity_is_refused_without_bernoulli_hidden_units",
    ),
    bug(
        "B202",
        "gaps filled by the whole machine under dropout",
        "closed form",
        "dropout::gaps_are_filled_by_the_thinned_machine",
    ),
    bug(
        "B203",
        "weights of documents ignored",
        "repeated rows",
        "replicated::weights_of_documents_are_counts",
    ),
    bug(
        "B204",
        "a header with an empty cell taken for a row",
        "metamorphic",
        "tables::an_index_without_a_name_leaves_the_header_a_header",
    ),
    bug(
        "B205",
        "the first of two columns of one name read twice",
        "refusal",
        "tables::columns_of_one_name_are_refused",
    ),
    bug(
        "B206",
        "number of a frame in the place of the purpose",
        "O14",
        "conditional::frames_are_drawn_where_nothing_else_is",
    ),
    bug("B207", "memory by a header's number", "refusal", "replicated::a_header_alone_fills_no_memory"),
    bug("B210", "a flip leaves the spin", "no-drift", "ground::metropolis_sweeps_leave_the_law_alone"),
    bug(
        "B211",
        "neighbours judged before a flip",
        "no-drift",
        "ground::metropolis_sweeps_leave_the_law_alone",
    ),
    bug(
        "B213",
        "upper parts of codes trusted where they leave a unit open",
        "equal storages",
        "machine::draws_near_their_thresholds_are_those_of_whole_codes",
    ),
    bug(
        "B214",
        "slope of a sigmoid unit without 1 − y",
        "formulas",
        "network::gradients_are_those_of_the_formulas",
    ),
    bug(
        "B215",
        "layers with more units than the next has inputs",
        "refusal",
        "network_starts::what_does_not_fit_is_refused",
    ),
    bug(
        "B216",
        "decoder with weights that are not transposed",
        "mean field",
        "network_starts::an_unrolled_network_is_the_mean_field_pass_of_its_machines",
    ),
    bug(
        "B217",
        "softmax gradient without the class",
        "formulas",
        "network::gradients_are_those_of_the_formulas",
    ),
    bug("B218", "units left out forwards alone", "formulas", "network::gradients_are_those_of_the_formulas"),
    bug("B219", "the same units left out in every layer", "law", "network_options::masks_follow_their_rates"),
    bug(
        "B220",
        "rows of any width tuned on",
        "refusal",
        "network_options::what_is_wrong_is_named_before_anything_changes",
    ),
    bug(
        "B221",
        "a class beyond the last taken",
        "refusal",
        "network_options::what_is_wrong_is_named_before_anything_changes",
    ),
    bug("B222", "true and predicted classes swapped", "counts", "network_tuning::tuning_tells_classes_apart"),
    bug(
        "B223",
        "a tuning that no guard sees",
        "refusal",
        "network_tuning::a_tuning_that_runs_away_ends_with_its_last_good_state",
    ),
    bug(
        "B224",
        "the last epoch kept for the best",
        "replay",
        "network_tuning::the_best_epoch_is_kept_and_patience_ends",
    ),
    bug(
        "B225",
        "powers of Adam lost in a snapshot",
        "resume",
        "network_tuning::a_resumed_tuning_is_the_uninterrupted_one",
    ),
    bug(
        "B226",
        "the last update for the average",
        "replay",
        "network_tuning::the_average_is_that_of_the_updates",
    ),
    bug(
        "B227",
        "directions of steepest descent for conjugate ones",
        "closed form",
        "network_codes::conjugate_gradients_solve_a_quadratic_in_as_many_searches_as_it_has_dimensions",
    ),
    bug(
        "B228",
        "common bits counted for differing ones",
        "search by hand",
        "network_codes::the_nearest_codes_are_those_of_a_search_by_hand",
    ),
    bug("B229", "units that stay are not scaled up", "law", "network_options::masks_follow_their_rates"),
    bug(
        "B230",
        "all layers of a stack trained at the addresses of the first",
        "other weights",
        "belief_training::layers_have_keys_of_their_own",
    ),
    bug(
        "B231",
        "another class clamped than the one asked for",
        "enumeration",
        "belief::samples_of_a_class_follow_its_law",
    ),
    bug(
        "B232",
        "wake and sleep without what was expected",
        "enumeration",
        "belief_updown::steps_with_chains_from_the_data_have_their_expectation",
    ),
    bug(
        "B233",
        "rows inferred at the address of the first of them",
        "other draws",
        "belief_features::each_batch_draws_anew",
    ),
    bug(
        "B234",
        "up-down resumed without its momentum",
        "resume",
        "belief_files::interrupted_trainings_give_the_same_bits",
    ),
    bug(
        "B235",
        "recognition weights taught by data instead of dreams",
        "enumeration",
        "belief_updown::steps_with_chains_from_the_data_have_their_expectation",
    ),
    bug(
        "B236",
        "up-down resumed without its chains",
        "resume",
        "belief_updown::persistent_chains_go_on_where_they_stood",
    ),
    bug(
        "B237",
        "means cut at one half passed down instead of draws",
        "enumeration",
        "belief::samples_follow_the_law",
    ),
    bug(
        "B238",
        "bias of the first class for all",
        "formula",
        "belief_features::predictions_are_the_law_of_the_label",
    ),
    bug("B239", "bound without the entropy of q", "enumeration", "belief::bounds_are_those_of_enumeration"),
    bug(
        "B240",
        "a machine turned upside down without its biases",
        "the machine below",
        "belief_training::second_machines_raise_the_bound",
    ),
    bug("B241", "average of a layer dropped", "another model", "belief_training::averages_are_what_is_kept"),
    bug(
        "B242",
        "finished machines kept off their grid",
        "resume",
        "belief_files::interrupted_trainings_give_the_same_bits",
    ),
    bug(
        "B243",
        "labels by their place in the batch",
        "closed form",
        "belief_features::labels_stand_behind_their_rows",
    ),
    bug(
        "B244",
        "bound of real data in standardised units",
        "the machine below",
        "belief::bounds_of_real_data_are_densities_of_their_own_units",
    ),
    bug(
        "B245",
        "tempering of a deep machine's couplings but not of its biases",
        "O3",
        "deep::transition_matrices_leave_the_law_invariant",
    ),
    bug(
        "B246",
        "entropy of mean field without J m",
        "bound",
        "deep_mean_field::bounds_are_those_of_the_oracle_and_hold",
    ),
    bug(
        "B247",
        "centring of a deep machine leaves the lower biases as they are",
        "change of coordinates",
        "deep_centring::centred_gradients_are_gradients_of_the_centred_machine",
    ),
    bug(
        "B248",
        "offsets of a deep machine not kept",
        "resume",
        "deep_training::a_resumed_training_ends_the_same",
    ),
    bug("B249", "a layer left out of the weights of annealing", "O8", "deep_evaluate::weights_are_unbiased"),
    bug(
        "B250",
        "weights at the bottom not doubled in pretraining",
        "enumeration",
        "deep_pretraining::doubled_weights_count_twice_in_training",
    ),
    bug(
        "B251",
        "weights at the top not doubled in pretraining",
        "enumeration",
        "deep_pretraining::doubled_weights_count_twice_in_training",
    ),
    bug(
        "B252",
        "weights between not halved",
        "closed form",
        "deep_pretraining::doubled_weights_make_a_deep_machine",
    ),
    bug(
        "B253",
        "upper layers of odd number not averaged out",
        "enumeration",
        "deep_training::chains_count_with_odd_layers_averaged_out",
    ),
    bug(
        "B254",
        "mean field starts from single weights",
        "oracle",
        "deep_mean_field::means_are_those_of_the_oracle",
    ),
    bug(
        "B255",
        "layers of odd number never drawn",
        "draws one by one",
        "deep::sweeps_are_draws_in_their_order",
    ),
    bug("B256", "packed layers lie upon each other", "round trip", "deep::sweeps_are_draws_in_their_order"),
    bug(
        "B257",
        "a file forgets how a deep machine infers",
        "round trip",
        "deep_evaluate::files_give_machines_back",
    ),
    bug(
        "B258",
        "a row rests when one of its means does",
        "fixed point",
        "deep_mean_field::rows_at_rest_are_left_alone",
    ),
    bug("B259", "codes too wide for sums from both sides", "exact sums", "deep::sums_from_both_sides_fit"),
    bug(
        "B260",
        "covariance about zero",
        "formula",
        "linear::components_are_the_eigenvectors_of_the_covariance",
    ),
    bug("B261", "eigenvectors left unsorted", "formula", "linear::eigenvectors_are_such_and_orthonormal"),
    bug(
        "B262",
        "signs of eigenvectors left to chance",
        "formula",
        "linear::eigenvectors_are_such_and_orthonormal",
    ),
    bug(
        "B263",
        "squared error divided by the features",
        "formula",
        "linear::reconstructions_lose_the_other_variances",
    ),
    bug("B264", "white rows not turned back", "formula", "linear::white_rows_have_unit_covariance"),
    bug(
        "B265",
        "second loop of L-BFGS adds",
        "known minimum",
        "linear_classes::a_bent_valley_is_walked_in_few_steps",
    ),
    bug(
        "B266",
        "line search never grows a step",
        "known minimum",
        "linear_classes::a_bent_valley_is_walked_in_few_steps",
    ),
    bug("B267", "biases penalised", "Newton", "linear_classes::the_optimum_is_that_of_newtons_method"),
    bug(
        "B268",
        "tied neighbours in falling order",
        "brute force",
        "linear_classes::neighbours_are_those_of_sorting",
    ),
    bug(
        "B269",
        "tied votes to the largest class",
        "brute force",
        "linear_classes::votes_are_counted_and_ties_go_to_the_smallest_class",
    ),
    bug(
        "B270",
        "ranks counted from 0",
        "brute force",
        "linear_classes::trustworthiness_is_that_of_sorted_ranks",
    ),
    bug(
        "B271",
        "confusions transposed",
        "known table",
        "linear_classes::confusions_stand_in_the_row_of_the_truth",
    ),
    bug(
        "B272",
        "tied scores count as won",
        "brute force",
        "linear_classes::the_area_is_the_share_of_pairs_in_order",
    ),
    bug(
        "B275",
        "codes of a few terms as coarse as those of products",
        "exact maximum",
        "machine_training::large_couplings_leave_the_moments_of_the_data",
    ),
    bug(
        "B276",
        "ratings below the scale let in",
        "refusal",
        "ratings::bad_ratings_rows_and_options_are_refused",
    ),
    bug(
        "B277",
        "a pair of user and item let in twice",
        "refusal",
        "ratings::bad_ratings_rows_and_options_are_refused",
    ),
    bug(
        "B278",
        "ideal list longer than what is relevant",
        "formulas",
        "ratings::lists_are_judged_as_the_formulas_say",
    ),
    bug(
        "B279",
        "a missing rating taken for the lowest",
        "enumeration",
        "ratings::predictions_are_those_of_enumeration",
    ),
    bug(
        "B280",
        "a rating predicted from itself",
        "enumeration",
        "ratings::a_step_goes_down_the_pseudo_likelihood",
    ),
    bug(
        "B281",
        "lateral coupling of a rating with itself",
        "enumeration",
        "ratings::a_step_goes_down_the_pseudo_likelihood",
    ),
    bug(
        "B282",
        "hidden biases pulled one way by both phases",
        "O7",
        "ratings::contrastive_divergence_has_its_expectation",
    ),
    bug("B283", "items listed that were seen", "formulas", "ratings::lists_are_judged_as_the_formulas_say"),
    bug("B284", "users folded in by their test ratings", "equality", "ratings::fold_in_sees_no_test_rating"),
    bug(
        "B291",
        "precision of noise left out",
        "posterior",
        "denoise::denoised_reals_have_their_posterior_means_and_deviations",
    ),
    bug(
        "B292",
        "noise model not clamped",
        "posterior",
        "denoise::denoised_bits_spins_and_classes_have_their_posterior_means",
    ),
    bug(
        "B293",
        "odds of flips from the squared rate",
        "posterior",
        "denoise::denoised_bits_spins_and_classes_have_their_posterior_means",
    ),
    bug(
        "B294",
        "one bit of a block at most still to come",
        "posterior",
        "denoise::fine_pixels_follow_their_law_given_coarse_ones",
    ),
    bug(
        "B295",
        "ties count as wholes",
        "all pairs",
        "anomaly::the_area_is_the_share_of_pairs_with_ties_as_halves",
    ),
    bug("B296", "a row's own rank left out", "ranks", "anomaly::p_values_of_normal_rows_are_even"),
    bug("B297", "attribution of the wrong sign", "hand", "anomaly::each_unit_adds_its_part"),
    bug("B298", "what is given drawn anew", "posterior", "inpaint::gaps_have_their_conditional_means"),
    bug(
        "B299",
        "deviations left standardised",
        "posterior",
        "denoise::denoised_reals_have_their_posterior_means_and_deviations",
    ),
    bug(
        "B300",
        "blocks of chains share their draws",
        "unequal rows",
        "inpaint::chains_of_different_blocks_differ",
    ),
    bug(
        "B301",
        "every row clamped to the first class",
        "posterior",
        "inpaint::rows_of_a_class_are_completed",
    ),
    bug("B355", "odds beyond the range of f64", "hand", "denoise::odds_of_any_size_are_kept_apart"),
    bug(
        "B356",
        "missing reals drawn as if they were seen",
        "posterior",
        "denoise::gaps_of_blurred_reals_get_nothing_from_the_noise",
    ),
    bug("B357", "scores that are no numbers rank first", "hand", "anomaly::p_values_of_normal_rows_are_even"),
    bug(
        "B358",
        "users folded in by which items they are asked for",
        "equality",
        "ratings::fold_in_sees_no_test_rating",
    ),
    bug(
        "B359",
        "two machines with the same draws",
        "inequality",
        "ratings::machines_of_a_blend_share_no_draws",
    ),
    bug(
        "B360",
        "sizes of a header taken on trust",
        "refusal",
        "ratings::hostile_numbers_of_a_file_are_refused",
    ),
    bug(
        "B361",
        "chains of a row that share their draws",
        "enumeration",
        "filling::a_general_machine_fills_gaps",
    ),
    bug(
        "B362",
        "deep machines that do not see what is noisy",
        "enumeration",
        "filling::a_deep_machine_takes_noise_off",
    ),
    bug("B306", "places behind the last spin flip", "refusal", "ground::hot_and_hasty_searches_end"),
    bug("B307", "annealing by moves that miss the law", "O8", "own_reals::unadjusted_moves_do_not_anneal"),
    bug("B308", "probabilities above 1 let pass", "O8", "likelihood::rows_more_than_certain_are_refused"),
    bug(
        "B309",
        "Metropolis sweeps that turn stripes over for ever",
        "O3",
        "lattice_matrices::half_sweeps_of_lattices_leave_the_law_alone",
    ),
    bug(
        "B382",
        "units that go round where nothing costs anything",
        "O3",
        "machine_sampling::metropolis_sweeps_reach_every_state",
    ),
    bug(
        "B383",
        "searches that go round where nothing costs anything",
        "O3",
        "lattice_matrices::moves_of_searches_leave_the_law_alone",
    ),
    bug(
        "B384",
        "own sites that go round where nothing costs anything",
        "O3",
        "own_sites::moves_that_cost_nothing_do_not_go_round",
    ),
    bug(
        "B390",
        "units of a block that count what came before twice",
        "O4",
        "machine::draws_near_their_thresholds_are_those_of_whole_codes",
    ),
    bug("B387", "grey values of any size", "refusal", "grey_bits::what_is_no_probability_is_refused"),
    bug(
        "B389",
        "rows of a file that nobody looks at",
        "refusal",
        "grey_bits::later_rows_of_a_table_are_looked_at",
    ),
    bug("B388", "sums of reconstructions of grey rows", "O2", "grey_bits::sums_are_those_of_the_grey_values"),
    bug("B385", "sweeps of reals at another address", "O3", "real_matrices::sweeps_are_steps_by_their_words"),
    bug(
        "B386",
        "tempered transitions decided by words of their way",
        "O3",
        "tempered_oracles::transitions_are_sweeps_and_a_decision_by_its_word",
    ),
    bug(
        "B311",
        "TAP equations beyond their expansion",
        "refusal",
        "machine_training::couplings_too_strong_for_mean_field_are_refused",
    ),
    bug(
        "B312",
        "half a change of energy",
        "O1",
        "own_machine::energies_and_changes_are_those_of_the_machine",
    ),
    bug("B321", "bonds between unequal spins", "O6", "clusters::ranks_of_the_truth_are_even"),
    bug("B322", "small losses accepted for sure", "O3", "real_matrices::acceptance_in_the_plane_is_hastings"),
    bug(
        "B323",
        "one word for both bonds of a site",
        "O3",
        "clusters::clusters_of_lattices_are_those_of_the_torus",
    ),
    bug(
        "B324",
        "coins of clusters by the words of bonds",
        "equality",
        "clusters::sweeps_are_turns_by_their_words",
    ),
    bug("B325", "noise too narrow", "O6", "real_matrices::ranks_of_the_truth_are_even"),
    bug("B326", "bounds that do not say so", "enumeration", "deep_evaluate::likelihoods_are_bounds"),
    bug(
        "B327",
        "one word for the sites of a row",
        "O5",
        "lattice_oracles::joint_draws_of_lattices_agree_with_alternating_ones",
    ),
    bug("B328", "one colour never swept", "O6", "lattice_oracles::ranks_of_true_lattices_are_even"),
    bug(
        "B329",
        "half of what a flip does to its neighbours",
        "O5",
        "lattice_oracles::joint_draws_of_searches_agree_with_alternating_ones",
    ),
    bug("B330", "the last spin never flips", "O6", "lattice_oracles::ranks_of_true_ground_searches_are_even"),
    bug(
        "B331",
        "one word for the units of a colour",
        "O5",
        "machine_oracles::joint_draws_agree_with_alternating_ones",
    ),
    bug("B332", "the last free unit never drawn", "O6", "machine_oracles::ranks_of_the_truth_are_even"),
    bug("B333", "columns by names alone", "formats", "ratings::columns_are_read_by_number"),
    bug(
        "B335",
        "losses counted for less",
        "O3",
        "tempered_oracles::tempered_transitions_are_in_detailed_balance",
    ),
    bug(
        "B336",
        "rungs that share their words",
        "O5",
        "tempered_oracles::pairs_of_rungs_agree_with_direct_draws",
    ),
    bug(
        "B337",
        "an error where works do not overlap",
        "hand",
        "likelihood::works_that_do_not_overlap_say_nothing",
    ),
    bug("B338", "softplus that overflows", "hand", "machine::improbable_rows_keep_their_pseudo_likelihood"),
    bug("B339", "differences wider than the peak", "Kaufman", "ising::the_peak_of_large_lattices_is_sharp"),
    bug(
        "B340",
        "tempered transitions that go down as they came up",
        "O4",
        "machine_reversal::tempered_transitions_of_general_machines_do_not_drift",
    ),
    bug(
        "B341",
        "a way back in the order of the way there",
        "O3",
        "machine_reversal::sweeps_back_are_the_reversal_of_sweeps",
    ),
    bug(
        "B342",
        "reverse annealing without its first sweep",
        "O8",
        "raise::weights_of_restricted_machines_have_the_mean_of_where_annealing_ends",
    ),
    bug(
        "B343",
        "reverse annealing without ln Z of the base",
        "O8",
        "raise::weights_of_restricted_machines_have_the_mean_of_where_annealing_ends",
    ),
    bug(
        "B344",
        "errors from parts of the run, not from chains",
        "O8",
        "ladder::intervals_of_slow_chains_cover",
    ),
    bug(
        "B345",
        "energies without the hidden units that a swap forgets",
        "O7",
        "ladder::energies_on_the_first_rung_have_their_mean",
    ),
    bug(
        "B346",
        "rungs far apart compared all the same",
        "refusal",
        "ladder::ladders_that_tell_nothing_are_refused",
    ),
    bug(
        "B347",
        "hidden units weighed as if their draw were certain",
        "O8",
        "raise::weights_of_general_machines_have_the_mean_of_where_annealing_ends",
    ),
    bug(
        "B348",
        "a slope that pushes away from the hidden units",
        "O2",
        "own_rbm::smooth_energies_are_the_free_energy_with_its_slope",
    ),
    bug(
        "B380",
        "grey rows whose bits are the same in each epoch",
        "frozen draws",
        "belief_features::each_batch_of_grey_rows_draws_anew",
    ),
    bug(
        "B381",
        "a tuning ended at its last update without its best epoch",
        "last parameters",
        "network_tuning::enough_at_the_last_update_changes_nothing",
    ),
    bug("B321", "bonds between unequal spins", "O3", "clusters::clusters_are_in_detailed_balance"),
    bug(
        "B322",
        "small losses accepted for sure",
        "O3",
        "real_matrices::moves_are_in_detailed_balance_on_a_grid",
    ),
    bug("B321", "bonds between unequal spins", "O5", "clusters::joint_draws_agree_with_alternating_ones"),
    bug("B325", "noise too narrow", "O5", "real_matrices::joint_draws_agree_with_alternating_ones"),
    bug(
        "B134",
        "inputs of spins not doubled",
        "O5",
        "machine_oracles::alternating_halves_keep_the_joint_law",
    ),
    bug(
        "B42",
        "half-steps that share their words",
        "O5",
        "machine_oracles::joint_draws_of_restricted_machines_agree_with_alternating_ones",
    ),
    bug("B15", "modes in place of draws", "O6", "machine_oracles::ranks_of_missing_values_are_even"),
    bug(
        "B134",
        "inputs of spins not doubled",
        "O12",
        "machine_oracles::a_small_magnet_has_its_energy_heat_and_magnetisation",
    ),
    bug(
        "B176",
        "all transitions accepted",
        "O5",
        "tempered_oracles::joint_draws_of_transitions_agree_with_alternating_ones",
    ),
    bug("B176", "all transitions accepted", "O6", "tempered_oracles::ranks_after_transitions_are_even"),
    bug(
        "B73",
        "swaps where they should be refused",
        "O6",
        "tempered_oracles::ranks_of_tempered_chains_are_even",
    ),
    bug(
        "B73",
        "swaps where they should be refused",
        "O3",
        "tempered_oracles::rounds_of_tempering_leave_the_joint_law_alone",
    ),
    bug(
        "B15",
        "modes in place of draws",
        "O12",
        "machine_oracles::a_small_restricted_magnet_has_its_energy_heat_and_magnetisation",
    ),
    bug(
        "B245",
        "biases that stay cold",
        "O5",
        "deep_oracles::joint_draws_of_deep_machines_agree_with_alternating_ones",
    ),
    bug("B255", "one side never drawn", "O6", "deep_oracles::ranks_of_deep_machines_are_even"),
];

/// Runs one proof in a process of its own, with a bug or without; tells whether it passed.
///
/// Exactly one test must have run: a misspelt name would pass without a look.
fn passes(proof: &str, bug: Option<&str>) -> bool {
    let program = std::env::current_exe().expect("this program has a path");
    let mut run = Command::new(program);
    run.args([proof, "--exact"]).env_remove(VARIABLE).env("RUST_BACKTRACE", "0");
    if let Some(id) = bug {
        run.env(VARIABLE, id);
    }
    let output = run.output().expect("this program runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let (passed, failed) = (text.contains(". 1 passed; 0 failed;"), text.contains(". 0 passed; 1 failed;"));
    assert!(passed != failed, "{proof} did not run to its end: {text}");
    passed
}

#[test]
#[allow(clippy::print_stdout, reason = "the table is what a reader asks for")]
fn every_planted_bug_is_killed() {
    assert!(std::env::var(VARIABLE).is_err(), "{VARIABLE} must not be set");
    let (mut survivors, mut sound) = (Vec::new(), HashSet::new());
    println!("id  | planted bug | oracle | killed");
    for Bug { id, what, oracle, proof } in BUGS {
        // One proof kills several bugs; that it passes without any is seen once.
        assert!(!sound.insert(proof) || passes(proof, None), "{proof} fails without a bug");
        let killed = !passes(proof, Some(id));
        println!("{id} | {what} | {oracle} | {}", if killed { "yes" } else { "NO" });
        if !killed {
            survivors.push(id);
        }
    }
    println!("{} planted, {} killed", BUGS.len(), BUGS.len() - survivors.len());
    assert!(survivors.is_empty(), "survivors: {survivors:?}");
}

//! Plants known bugs, so that the oracles can be shown to catch them.
//!
//! Without the feature `mutants` the macro is its good branch and nothing of this remains. With it, the environment
//! variable `HARMONIUM_MUTANT` names the one bug that is active in this process.

/// Chooses the good branch, or the bad one when the named bug is active.
#[cfg(not(feature = "mutants"))]
#[doc(hidden)]
#[macro_export]
macro_rules! mutant {
    ($id:literal, $good:expr, $bad:expr) => {
        $good
    };
}

/// Chooses the good branch, or the bad one when the named bug is active.
#[cfg(feature = "mutants")]
#[doc(hidden)]
#[macro_export]
macro_rules! mutant {
    ($id:literal, $good:expr, $bad:expr) => {
        if $crate::mutants::active($id) { $bad } else { $good }
    };
}

/// Tells whether the bug `id` is the one that this process carries.
#[cfg(feature = "mutants")]
pub fn active(id: &str) -> bool {
    use std::sync::OnceLock;
    static ACTIVE: OnceLock<Option<String>> = OnceLock::new();
    ACTIVE.get_or_init(|| std::env::var("HARMONIUM_MUTANT").ok()).as_deref() == Some(id)
}

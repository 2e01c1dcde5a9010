//! Tunes feed-forward networks by backpropagation: classifiers, regressions and deep autoencoders.

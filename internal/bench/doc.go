// Package bench measures Baler against the limits of the machine it runs on.
//
// It measures ratios within one run: the real program, with workers and producers in
// processes of their own, compared with plain multi-row INSERTs of the same rows and with
// common hand-written solutions. It starts temporary servers unless others are given.
//
// It checks only its targets, and promises no absolute figures.
package bench

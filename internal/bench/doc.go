// Package bench measures Baler against the limits of the machine it runs on.
//
// It measures ratios, not numbers: what the real program does, with workers and
// producers in processes of their own, against plain multi-row INSERTs of the
// same rows and against what people would otherwise write, all in one run. The
// servers are throwaway ones unless others are given.
//
// It judges nothing but its targets, and promises no number.
package bench

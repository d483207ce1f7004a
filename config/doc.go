// Package config holds the settings of every Baler process: their types,
// defaults, checks, and where they come from.
//
// Load gathers them from, in order of precedence, command-line flags, the
// environment (BALER_…), a file (baler.yaml) and the defaults. Nothing is
// guessed: a key or variable that does not exist, a value of the wrong kind
// and a value out of bounds are all reported, together, each with its place
// and with what to do about it. Passwords never show in a report.
//
// Settings is the table of everything that can be set; docs/configuration.md
// is its printed form, and a test holds the two together.
//
// The package opens nothing and connects to nothing. Only the command line and
// package baler import it: other rooms get plain values.
package config

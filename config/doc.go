// Package config holds the settings of every Baler process: their types,
// defaults, checks, and where they come from.
//
// Load reads them from, in order of precedence, command-line flags, the environment
// (BALER_…), a file (baler.yaml) and the defaults. It reports all errors at once:
// keys and variables that do not exist, values of the wrong kind, and values out of
// range, each with its place and with what to do. No error contains a password.
//
// Settings is the table of all settings. docs/configuration.md contains it, and a
// test compares the two.
//
// The package opens no file but the configuration, and connects to nothing.
package config

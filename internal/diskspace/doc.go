// Package diskspace asks the system about the disk of a folder: how much room it has, and that
// what was written outlasts a loss of power.
package diskspace

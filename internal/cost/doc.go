// Package cost learns what files cost a handler: seconds a file and seconds a
// byte, by least squares over the batches that ran, older ones counting less.
// The dispatcher sizes batches by it.
package cost

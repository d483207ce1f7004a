// Package scan finds the files of a transfer: it walks sources in a stable
// order, reads lists of paths, and splits files of lines into chunks. It reads
// names, sizes and times, never content, except where a file is split.
package scan

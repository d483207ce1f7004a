// Package sdk holds the libraries for handlers in other languages, one file each, so that a
// worker can give them to the scripts of a recipe. docs/coprocess.md describes the protocol.
package sdk

import _ "embed" // the files below

// Python is baler.py, for Python 3.8 and later.
//
//go:embed python/baler.py
var Python []byte

// Node is baler.mjs, for Node.js 18 and later.
//
//go:embed node/baler.mjs
var Node []byte

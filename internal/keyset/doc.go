// Package keyset reads long lists page by page, each page behind the last key
// of the one before, so that one page is in memory at a time.
package keyset

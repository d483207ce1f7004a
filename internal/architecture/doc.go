// Package architecture draws the packages of this module and their imports for
// docs/architecture.md, and lets tests compare the page with the code: the picture must
// agree with the imports, and each function that the page names must exist.
package architecture

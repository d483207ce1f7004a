// Package architecture draws the packages of this module and their imports for
// docs/architecture.md, and holds that page against the code: the picture must
// be the one that the imports give, and each function that the page names must
// exist. It is for the page and its tests alone.
package architecture

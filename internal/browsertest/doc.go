// Package browsertest uses the pages of a server as a person does, in a real browser.
package browsertest

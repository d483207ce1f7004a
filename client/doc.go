// Package client submits transfers to a Baler server over HTTP, follows them and reads
// their results. It needs neither Redis nor a database, and imports the standard library
// only.
//
//	c, err := client.New("https://baler.example.org", client.Options{Token: token})
//	t, err := c.Submit(ctx, client.Submission{Paths: []string{"/data/scans"}, Key: "scans-2026-11"})
//	t, err = c.Wait(ctx, t.ID, nil)
//
// Requests that can be repeated without harm are repeated after a broken connection or an
// answer that asks for it (429, 502, 503, 504), with growing pauses, until their context ends. A submission
// can be repeated when it has a Key.
//
// A Client is safe for concurrent use.
package client

// Package expiry says whether a certificate is valid, and whether it ends soon. It reads no files.
package expiry

import (
	"crypto/x509"
	"fmt"
	"time"
)

// RenewBefore is how long before its end a certificate should have been renewed. The alert
// BalerCertificateEnds has the same time.
const RenewBefore = 14 * 24 * time.Hour

// Validity is what the dates of a certificate say at some time.
type Validity int

// The validities.
const (
	Valid       Validity = iota
	Ending               // it is valid for less than RenewBefore
	Expired              // its time is over
	NotYetValid          // its time has not begun
)

// Check compares the dates of a certificate with the time, and describes what it finds.
func Check(c *x509.Certificate, now time.Time) (v Validity, found string) {
	end := c.NotAfter.UTC().Format("2006-01-02 15:04 MST")
	switch left := c.NotAfter.Sub(now); {
	case now.Before(c.NotBefore):
		return NotYetValid, "the certificate is not valid before " + c.NotBefore.UTC().Format("2006-01-02 15:04 MST")
	case left < 0:
		return Expired, "the certificate ended on " + end
	case left < RenewBefore:
		return Ending, fmt.Sprintf("the certificate ends on %s, in %d days", end, int(left/(24*time.Hour)))
	}
	return Valid, "the certificate is valid until " + end
}

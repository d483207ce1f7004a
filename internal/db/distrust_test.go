package db

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"testing"
)

func TestADistrustedCertificateNamesTheSetting(t *testing.T) {
	t.Parallel()
	d := &DB{dialect: MySQL, description: "mysql://db/baler"}
	err := d.openError(fmt.Errorf("dial: %w", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}))
	if !strings.Contains(err.Error(), "BALER_DATABASE_TLS_CA") {
		t.Errorf("the error is %v", err)
	}
}

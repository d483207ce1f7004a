// Package tlshint says what to do about an encrypted connection that fails: it tells an
// authority that is unknown from a certificate that has expired or has another name, and from
// a server that refuses the client's certificate. It opens no connection.
package tlshint

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
)

// Settings are the names of a client's settings, as the person who reads a hint writes them.
type Settings struct {
	Address string // where the server is, such as BALER_REDIS_URL
	CA      string // the file of the authorities, such as BALER_REDIS_TLS_CA
	Cert    string // the file of the client's certificate; empty when there is no such setting
	Key     string // the file of its key
}

// Of says what to do about err; empty when it is no error of TLS.
func Of(err error, s Settings) string {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "renew the server's certificate; if it is valid, set this host's clock"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return fmt.Sprintf("give in %s a name of the server that its certificate has, or have the certificate made for this name", s.Address)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Sprintf("name the file of the authority that signed the server's certificate in %s", s.CA)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return fmt.Sprintf("the server does not speak TLS there: correct %s, or turn TLS on at the server", s.Address)
	}
	// The alert itself has no exported type.
	if refused, ok := errors.AsType[*net.OpError](err); ok && refused.Op == "remote error" && s.Cert != "" {
		return fmt.Sprintf("the server refuses the connection: name a certificate that its authority has signed "+
			"and that has not expired in %s, and its key in %s", s.Cert, s.Key)
	}
	return ""
}

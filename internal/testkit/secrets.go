package testkit

import "strings"

// Canary is the secret in the addresses of CanaryURLs.
const Canary = "cAnArY7"

// CanaryURLs returns addresses with a secret. Most of them have a common mistake: a
// character that is not escaped, a typing error in the scheme, or a token in place of a
// password. No message may show the secret. No server listens at these addresses.
func CanaryURLs() (all []string) {
	for line := range strings.Lines(canaryURLs) {
		if line = strings.TrimSuffix(line, "\n"); line != "" {
			all = append(all, strings.ReplaceAll(line, "SECRET", Canary))
		}
	}
	return all
}

//nolint:gosec // these are the passwords of nothing
const canaryURLs = `
ht!tp://q:SECRET@h
ftp://u:SECRET@h/
https://u:SECRET@h:x/
https://u:SECRET@/
//u:SECRET@h/p
u:SECRET@h
h/?token=SECRET
ftp://h/?token=SECRET
ftp://h/#SECRET
ftp://h/services/SECRET
https:/h/SECRET
https:u:SECRET@h
https://u:SECRET@h/%zz
https://u:SECRET%zz@h/
https://[::1/SECRET
https://SECRET@
https://u:a/SECRET@h
https://u:12/SECRET@127.0.0.1/
https://127.0.0.1/?token=SECRET
https://SECRET@127.0.0.1/
 https://u:SECRET@h
https://u:SECRET @h/
https://u:SECRET<>@h/
https://u:p#SECRET@h/
https://u:p?SECRET@h/
https://127.0.0.1:1/hook/SECRET
redis://:SECRET@
redis://:SECRET@h:x
redis://:SECRET@h/x
redis://:a/SECRET@127.0.0.1:1/0
redis://u:12/SECRET@127.0.0.1:1
redis://:SECRET@a,b
redis://:a#SECRET@h
redis://:a?SECRET@127.0.0.1:1
redis://:SECRET%zz@h
reddis://:SECRET@h
redis:/:SECRET@h
redis:SECRET@h
redis://SECRET@127.0.0.1:1
redis://127.0.0.1:1?password=SECRET
redis://:SECRET@127.0.0.1:1/0
redis-sentinel://:SECRET@127.0.0.1:1?master=m
redis-sentinel://:SECRET@h
redis-cluster://:SECRET@127.0.0.1:1/3
redis://127.0.0.1:1#SECRET
redis://127.0.0.1:SECRET
mysql://u:SECRET@127.0.0.1:1/b
mysql://u:SECRET@h
mysql://u:SECRET@/b
mysql://u:SECRET@h/a/b
mysql://u:SECRET@h:x/b
mysql://u:12/SECRET@127.0.0.1:1
mysql://u:a#SECRET@127.0.0.1:1/b
mysql://u:a?SECRET@127.0.0.1:1/b
mysql://u:a/SECRET@127.0.0.1:1/b
mysql://u:SECRET%zz@h/b
mysql:/u:SECRET@h/b
u:SECRET@tcp(h:3306)/b
mysq://u:SECRET@h/b
mysql://127.0.0.1:1/b?password=SECRET
mysql://127.0.0.1:1/b?timeout=SECRET
mysql://127.0.0.1:1/b?tls=SECRET
mysql://127.0.0.1:1/b?SECRET
mysql://127.0.0.1:1/b?a;SECRET
mysql://127.0.0.1:1/b?charset=SECRET
mysql://u:SECRET@127.0.0.1:1/b?parseTime=maybe
mysql://127.0.0.1:1/b?maxAllowedPacket=SECRET
mysql://127.0.0.1:1/b?serverPubKey=SECRET
mysql://127.0.0.1:SECRET/b
mysql://127.0.0.1:1/SECRET@h
mysql://127.0.0.1:1/b#SECRET
sqlite://u:SECRET@h/b
postgres://u:SECRET@h/b
`

package tasks

// DigestFacts are the facts by which the contents of files are compared.
func DigestFacts() []string { return []string{"sha256", "sha512", "sha1", "md5"} }

// Package accounts says who a person or a program is and what they may do: roles, users
// with passwords, API tokens and sessions.
//
// Secrets are kept as hashes only: passwords by argon2id, tokens and sessions, which are
// random, by SHA-256. No error contains one. The package checks passwords with bounded
// memory, and gives the same answer in the same time whether a user exists or not.
package accounts

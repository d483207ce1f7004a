// Package webhook signs Baler's webhooks and checks their signatures. Receivers
// call VerifySignature.
//
// The format is that of Standard Webhooks (https://www.standardwebhooks.com/),
// for which libraries exist in many languages: a message carries its ID, the
// time of the attempt and a signature of both together with the body, in three
// headers.
package webhook

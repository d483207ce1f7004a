// Package notify posts the webhooks that a transfer's end asks for. It takes
// them from an outbox in the database, signs them, and tries again until the
// receiver answers or a day has passed. Workers and servers share the outbox.
package notify

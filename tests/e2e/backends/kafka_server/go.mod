module obs-run/tests/e2e/backends/kafka_server

go 1.26.0

require github.com/twmb/franz-go/pkg/kfake v0.0.0-20251021233722-4ca18825d8c0

require (
	github.com/klauspost/compress v1.20.0 // indirect
	github.com/pierrec/lz4/v4 v4.1.30 // indirect
	github.com/twmb/franz-go v1.21.7 // indirect
	github.com/twmb/franz-go/pkg/kmsg v1.14.0 // indirect
	golang.org/x/crypto v0.43.0 // indirect
)

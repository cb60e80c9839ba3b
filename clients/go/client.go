// Package absfin is the client of abs-finance: optimisation, risk, backtests and reallocation over gRPC.
//
// A [Client] has the generated stub of each service. Its calls have a default deadline, are repeated where that is
// safe, and fail with an [Error]. [Client.WatchBacktest] and [Client.WatchEvents] follow streams and resume them by
// themselves.
package absfin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	absfinancev1 "example.com/abs-finance/clients/go/absfinance/v1"
)

// DefaultTarget is the address of a server on this machine that was started without options.
const DefaultTarget = "127.0.0.1:50051"

// Which calls gRPC repeats, and how often: part of the contract.
//
//go:embed absfinance/v1/service_config.json
var serviceConfig string

// Client is a connection to one server. Goroutines may share it.
type Client struct {
	Optimization absfinancev1.OptimizationServiceClient
	Risk         absfinancev1.RiskServiceClient
	Backtests    absfinancev1.BacktestServiceClient
	Reallocation absfinancev1.ReallocationServiceClient
	Portfolios   absfinancev1.PortfolioServiceClient
	MarketData   absfinancev1.MarketDataServiceClient
	Events       absfinancev1.EventServiceClient
	Liquidity    absfinancev1.LiquidityServiceClient
	Admin        absfinancev1.AdminServiceClient

	connection *grpc.ClientConn
	patience   time.Duration
}

type settings struct {
	credentials credentials.TransportCredentials
	token       func(context.Context) (string, error)
	timeout     time.Duration
	patience    time.Duration
	dial        []grpc.DialOption
}

// Option changes how a client connects.
type Option func(*settings) error

// WithTLS encrypts the connection; nil trusts the authorities of this machine.
func WithTLS(config *tls.Config) Option {
	return func(s *settings) error {
		s.credentials = credentials.NewTLS(config)
		return nil
	}
}

// WithTLSFiles encrypts the connection by PEM files: the authority that signed the server (empty: those of this
// machine), and the certificate and key of the caller (both empty: none).
func WithTLSFiles(authority, certificate, key string) Option {
	return func(s *settings) error {
		config := &tls.Config{MinVersion: tls.VersionTLS12}
		if authority != "" {
			pem, err := os.ReadFile(authority)
			if err != nil {
				return err
			}
			config.RootCAs = x509.NewCertPool()
			if !config.RootCAs.AppendCertsFromPEM(pem) {
				return fmt.Errorf("%s has no certificate in PEM", authority)
			}
		}
		if certificate != "" || key != "" {
			pair, err := tls.LoadX509KeyPair(certificate, key)
			if err != nil {
				return err
			}
			config.Certificates = []tls.Certificate{pair}
		}
		s.credentials = credentials.NewTLS(config)
		return nil
	}
}

// WithToken sends a token or an API key with every call. Without TLS others can read it on the way.
func WithToken(token string) Option {
	return WithTokenSource(func(context.Context) (string, error) { return token, nil })
}

// WithTokenSource asks for the current token at every attempt of a call. It must answer at once.
func WithTokenSource(token func(context.Context) (string, error)) Option {
	return func(s *settings) error {
		s.token = token
		return nil
	}
}

// WithTimeout sets the deadline of unary calls whose context has none; 60 s unless set, none where it is 0. Streams
// last as long as their context.
func WithTimeout(timeout time.Duration) Option {
	return func(s *settings) error {
		if timeout < 0 {
			return fmt.Errorf("the timeout is negative: %v", timeout)
		}
		s.timeout = timeout
		return nil
	}
}

// WithPatience sets how long WatchBacktest and WatchEvents try again without an answer; 5 minutes unless set.
func WithPatience(patience time.Duration) Option {
	return func(s *settings) error {
		if patience < 0 {
			return fmt.Errorf("the patience is negative: %v", patience)
		}
		s.patience = patience
		return nil
	}
}

// WithDialOptions adds options of gRPC, such as interceptors and statistics.
func WithDialOptions(options ...grpc.DialOption) Option {
	return func(s *settings) error {
		s.dial = append(s.dial, options...)
		return nil
	}
}

// Connect makes a client of the server at target, "host:port". It does not wait: the first call connects.
func Connect(target string, options ...Option) (*Client, error) {
	chosen := settings{credentials: insecure.NewCredentials(), timeout: time.Minute, patience: 5 * time.Minute}
	for _, option := range options {
		if err := option(&chosen); err != nil {
			return nil, err
		}
	}
	connection, err := grpc.NewClient(target, dialOptions(chosen)...)
	if err != nil {
		return nil, err
	}
	return &Client{
		Optimization: absfinancev1.NewOptimizationServiceClient(connection),
		Risk:         absfinancev1.NewRiskServiceClient(connection),
		Backtests:    absfinancev1.NewBacktestServiceClient(connection),
		Reallocation: absfinancev1.NewReallocationServiceClient(connection),
		Portfolios:   absfinancev1.NewPortfolioServiceClient(connection),
		MarketData:   absfinancev1.NewMarketDataServiceClient(connection),
		Events:       absfinancev1.NewEventServiceClient(connection),
		Liquidity:    absfinancev1.NewLiquidityServiceClient(connection),
		Admin:        absfinancev1.NewAdminServiceClient(connection),
		connection:   connection,
		patience:     chosen.patience,
	}, nil
}

func dialOptions(chosen settings) []grpc.DialOption {
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(chosen.credentials),
		grpc.WithDefaultServiceConfig(serviceConfig),
		// Otherwise the pauses between attempts to connect grow to two minutes, and a watch notices a restart that late.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: 5 * time.Second,
		}),
		// The server ends connections that ask more often than every 30 s.
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 40 * time.Second, Timeout: 20 * time.Second}),
		grpc.WithChainUnaryInterceptor(unaryInterceptor(chosen.timeout)),
		grpc.WithChainStreamInterceptor(streamInterceptor),
	}
	if chosen.token != nil {
		options = append(options, grpc.WithPerRPCCredentials(bearer(chosen.token)))
	}
	return append(options, chosen.dial...)
}

// Connection is that of the client, for services that it has no field for, such as health and reflection. Its calls
// have the deadline, the repetition and the errors of the others.
func (c *Client) Connection() grpc.ClientConnInterface { return c.connection }

// Close ends the connection.
func (c *Client) Close() error { return c.connection.Close() }

// WaitUntilReady returns once the server can be reached, or with an error at the end of the context.
func (c *Client) WaitUntilReady(ctx context.Context) error {
	for {
		c.connection.Connect()
		state := c.connection.GetState()
		switch state {
		case connectivity.Ready:
			return nil
		case connectivity.Shutdown:
			return errors.New("the client is closed")
		}
		if !c.connection.WaitForStateChange(ctx, state) {
			return fmt.Errorf("no server answers at %s: %w", c.connection.Target(), ctx.Err())
		}
	}
}

// bearer sends a token, without TLS too: a server of this machine has none.
type bearer func(context.Context) (string, error)

func (b bearer) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := b(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]string{"authorization": "Bearer " + token}, nil
}

func (b bearer) RequireTransportSecurity() bool { return false }

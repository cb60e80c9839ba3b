package com.example.absfinance;

import com.example.absfinance.v1.AcknowledgeNotificationRequest;
import com.example.absfinance.v1.AdminServiceGrpc;
import com.example.absfinance.v1.AnalyzeRiskRequest;
import com.example.absfinance.v1.AnalyzeRiskResponse;
import com.example.absfinance.v1.ApiKey;
import com.example.absfinance.v1.AssessLiquidityRequest;
import com.example.absfinance.v1.AssessLiquidityResponse;
import com.example.absfinance.v1.AttributeRequest;
import com.example.absfinance.v1.AttributeResponse;
import com.example.absfinance.v1.Backtest;
import com.example.absfinance.v1.BacktestProgressRequest;
import com.example.absfinance.v1.BacktestProgressResponse;
import com.example.absfinance.v1.BacktestRequest;
import com.example.absfinance.v1.BacktestServiceGrpc;
import com.example.absfinance.v1.CancelBacktestRequest;
import com.example.absfinance.v1.CompareStrategiesRequest;
import com.example.absfinance.v1.CompareStrategiesResponse;
import com.example.absfinance.v1.CreateApiKeyRequest;
import com.example.absfinance.v1.CreatePortfolioRequest;
import com.example.absfinance.v1.DecideRequest;
import com.example.absfinance.v1.DecideResponse;
import com.example.absfinance.v1.DeleteBacktestRequest;
import com.example.absfinance.v1.DeleteBacktestResponse;
import com.example.absfinance.v1.DeleteOptimizationRequest;
import com.example.absfinance.v1.DeleteOptimizationResponse;
import com.example.absfinance.v1.DeletePortfolioRequest;
import com.example.absfinance.v1.DeletePortfolioResponse;
import com.example.absfinance.v1.DeleteReallocationRequest;
import com.example.absfinance.v1.DeleteReallocationResponse;
import com.example.absfinance.v1.DrainRequest;
import com.example.absfinance.v1.DrainResponse;
import com.example.absfinance.v1.EstimateRiskModelRequest;
import com.example.absfinance.v1.EstimateRiskModelResponse;
import com.example.absfinance.v1.EventServiceGrpc;
import com.example.absfinance.v1.GetBacktestChartsRequest;
import com.example.absfinance.v1.GetBacktestChartsResponse;
import com.example.absfinance.v1.GetBacktestRequest;
import com.example.absfinance.v1.GetBacktestSeriesRequest;
import com.example.absfinance.v1.GetMarketMetricsRequest;
import com.example.absfinance.v1.GetMarketMetricsResponse;
import com.example.absfinance.v1.GetOptimizationChartsRequest;
import com.example.absfinance.v1.GetOptimizationChartsResponse;
import com.example.absfinance.v1.GetOptimizationRequest;
import com.example.absfinance.v1.GetPortfolioRequest;
import com.example.absfinance.v1.GetPricesRequest;
import com.example.absfinance.v1.GetQuotasRequest;
import com.example.absfinance.v1.GetQuotasResponse;
import com.example.absfinance.v1.GetReallocationChartsRequest;
import com.example.absfinance.v1.GetReallocationChartsResponse;
import com.example.absfinance.v1.GetReallocationRequest;
import com.example.absfinance.v1.GetRiskChartsRequest;
import com.example.absfinance.v1.GetRiskChartsResponse;
import com.example.absfinance.v1.GetServerInfoRequest;
import com.example.absfinance.v1.GetServerInfoResponse;
import com.example.absfinance.v1.GetSweepRequest;
import com.example.absfinance.v1.ImportPricesRequest;
import com.example.absfinance.v1.ImportPricesResponse;
import com.example.absfinance.v1.LiquidityServiceGrpc;
import com.example.absfinance.v1.ListApiKeysRequest;
import com.example.absfinance.v1.ListApiKeysResponse;
import com.example.absfinance.v1.ListAuditEventsRequest;
import com.example.absfinance.v1.ListAuditEventsResponse;
import com.example.absfinance.v1.ListBacktestsRequest;
import com.example.absfinance.v1.ListBacktestsResponse;
import com.example.absfinance.v1.ListCorporateActionsRequest;
import com.example.absfinance.v1.ListCorporateActionsResponse;
import com.example.absfinance.v1.ListInstrumentsRequest;
import com.example.absfinance.v1.ListInstrumentsResponse;
import com.example.absfinance.v1.ListNotificationsRequest;
import com.example.absfinance.v1.ListNotificationsResponse;
import com.example.absfinance.v1.ListOptimizationsRequest;
import com.example.absfinance.v1.ListOptimizationsResponse;
import com.example.absfinance.v1.ListPortfoliosRequest;
import com.example.absfinance.v1.ListPortfoliosResponse;
import com.example.absfinance.v1.ListReallocationsRequest;
import com.example.absfinance.v1.ListReallocationsResponse;
import com.example.absfinance.v1.ListSweepTrialsRequest;
import com.example.absfinance.v1.ListSweepTrialsResponse;
import com.example.absfinance.v1.MarketDataServiceGrpc;
import com.example.absfinance.v1.Notification;
import com.example.absfinance.v1.Optimization;
import com.example.absfinance.v1.OptimizationServiceGrpc;
import com.example.absfinance.v1.OptimizeBatchRequest;
import com.example.absfinance.v1.OptimizeBatchResponse;
import com.example.absfinance.v1.OptimizeRequest;
import com.example.absfinance.v1.Portfolio;
import com.example.absfinance.v1.PortfolioServiceGrpc;
import com.example.absfinance.v1.ReallocateBatchRequest;
import com.example.absfinance.v1.ReallocateBatchResponse;
import com.example.absfinance.v1.ReallocateRequest;
import com.example.absfinance.v1.Reallocation;
import com.example.absfinance.v1.ReallocationServiceGrpc;
import com.example.absfinance.v1.RecordFillsRequest;
import com.example.absfinance.v1.RecordFillsResponse;
import com.example.absfinance.v1.RedeliverNotificationRequest;
import com.example.absfinance.v1.RevokeApiKeyRequest;
import com.example.absfinance.v1.RiskServiceGrpc;
import com.example.absfinance.v1.StrategyServiceGrpc;
import com.example.absfinance.v1.Sweep;
import com.example.absfinance.v1.SweepRequest;
import com.example.absfinance.v1.TraceFrontierRequest;
import com.example.absfinance.v1.TraceFrontierResponse;
import com.example.absfinance.v1.UpdatePortfolioRequest;
import com.example.absfinance.v1.UpsertCorporateActionsRequest;
import com.example.absfinance.v1.UpsertCorporateActionsResponse;
import com.example.absfinance.v1.UpsertInstrumentsRequest;
import com.example.absfinance.v1.UpsertInstrumentsResponse;
import com.example.absfinance.v1.WatchEventsRequest;
import com.example.absfinance.v1.WatchEventsResponse;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * A connection to one server whose calls block; threads may share it. Close it, or use it in a try block.
 *
 * <p>Every call has the deadline of the options, or that of {@link #withDeadline}, and throws {@link AbsFinanceException}.
 * What is safe to repeat is repeated where the server has not started yet, is shutting down, or is overloaded; requests
 * with a request_id get one where they have none.
 */
public final class AbsFinanceClient implements AutoCloseable {
  /** So long, a watch tries to reach a server that does not answer. */
  public static final Duration DEFAULT_PATIENCE = Duration.ofMinutes(5);

  private final Connection connection;
  private final Duration deadline;

  private AbsFinanceClient(Connection connection, Duration deadline) {
    this.connection = connection;
    this.deadline = deadline;
  }

  /** Connects to a server in clear text, such as "127.0.0.1:50051". The connection is made by the first call. */
  public static AbsFinanceClient connect(String address) {
    return connect(ClientOptions.of(address));
  }

  /**
   * Connects to a server.
   *
   * @throws java.io.UncheckedIOException if a file of certificates or keys cannot be read
   */
  public static AbsFinanceClient connect(ClientOptions options) {
    return new AbsFinanceClient(Connection.open(options), options.deadline());
  }

  /** The same connection, with another deadline. Closing one of them closes both. */
  public AbsFinanceClient withDeadline(Duration deadline) {
    return new AbsFinanceClient(connection, deadline);
  }

  /** The same connection, with futures and publishers. Closing one of them closes both. */
  public AsyncAbsFinanceClient async() {
    return new AsyncAbsFinanceClient(connection, deadline);
  }

  /** The channel, for what this client has no method for. */
  public ManagedChannel channel() {
    return connection.channel();
  }

  /** Ends the connection, and all calls and watches of it. */
  @Override
  public void close() {
    connection.close();
  }

  /** Progress of a job, "backtests/{id}", from its oldest event to its end. */
  public EventStream<BacktestProgressResponse> watchBacktest(String name) {
    return watchBacktest(BacktestProgressRequest.newBuilder().setBacktest(name).build(), DEFAULT_PATIENCE);
  }

  /**
   * Progress of a job: a snapshot, then every milestone and the latest tick, `finished` last. It resumes by itself where
   * the connection breaks or the server restarts, and repeats nothing. Where the server no longer has what comes after the
   * last event it throws {@link EventsLostException}: watch again by the name alone.
   *
   * @param request names the job, and the sequence and epoch of the last event of an earlier watch if there was one
   * @param patience how long to try to reach a server that does not answer, before the stream throws
   */
  public EventStream<BacktestProgressResponse> watchBacktest(BacktestProgressRequest request, Duration patience) {
    return new EventStream<>(
        connection.watch(
            BacktestServiceGrpc.getBacktestProgressMethod(), new EventLog.OfBacktest(request), patience));
  }

  /**
   * Events of portfolios, from the oldest that is retained: a snapshot, then each event. It never ends by itself.
   *
   * @see #watchEvents(WatchEventsRequest, Duration)
   */
  public EventStream<WatchEventsResponse> watchEvents(WatchEventsRequest request) {
    return watchEvents(request, DEFAULT_PATIENCE);
  }

  /**
   * Events of portfolios after the sequence of the request. It resumes by itself and repeats nothing. Where events were
   * lost it throws {@link EventsLostException}: read what they were about, then watch from 0 with an empty epoch.
   *
   * @param patience how long to try to reach a server that does not answer, before the stream throws
   */
  public EventStream<WatchEventsResponse> watchEvents(WatchEventsRequest request, Duration patience) {
    return new EventStream<>(
        connection.watch(EventServiceGrpc.getWatchEventsMethod(), new EventLog.OfPortfolios(request), patience));
  }

  /** Stored prices, joined from their parts. */
  public Table prices(GetPricesRequest request) {
    try (var parts = stream(MarketDataServiceGrpc.getGetPricesMethod(), request)) {
      return Table.ofPrices(parts);
    }
  }

  /** A series of a finished backtest, joined from its parts. */
  public Table backtestSeries(GetBacktestSeriesRequest request) {
    try (var parts = stream(BacktestServiceGrpc.getGetBacktestSeriesMethod(), request)) {
      return Table.ofSeries(parts);
    }
  }

  /** Portfolios of an efficient frontier, from the highest return down. */
  public AnswerStream<TraceFrontierResponse> traceFrontier(TraceFrontierRequest request) {
    return stream(OptimizationServiceGrpc.getTraceFrontierMethod(), request);
  }

  /** Diagnostics of a risk model, then its arrays in pieces; {@link Tensors} decodes them. */
  public AnswerStream<EstimateRiskModelResponse> estimateRiskModel(EstimateRiskModelRequest request) {
    return stream(RiskServiceGrpc.getEstimateRiskModelMethod(), request);
  }

  /** Imports prices: a header, chunks, a footer. */
  public ImportPricesResponse importPrices(Iterable<ImportPricesRequest> parts) {
    return wait(
        connection.clientStream(MarketDataServiceGrpc.getImportPricesMethod(), parts.iterator(), deadline));
  }

  /** Optimises many accounts: first what they share, then each account. The iterable is read as fast as it is sent. */
  public AnswerStream<OptimizeBatchResponse> optimizeBatch(Iterable<OptimizeBatchRequest> parts) {
    return new AnswerStream<>(
        connection.stream(OptimizationServiceGrpc.getOptimizeBatchMethod(), parts.iterator(), deadline));
  }

  /** Reallocates many portfolios: first what they share, then each. The iterable is read as fast as it is sent. */
  public AnswerStream<ReallocateBatchResponse> reallocateBatch(Iterable<ReallocateBatchRequest> parts) {
    return new AnswerStream<>(
        connection.stream(ReallocationServiceGrpc.getReallocateBatchMethod(), parts.iterator(), deadline));
  }

  /** Calls any method with one request and one answer. */
  public <Q, A> A call(MethodDescriptor<Q, A> method, Q request) {
    return wait(connection.unary(method, request, deadline));
  }

  /** Calls any method with one request and a stream of answers. */
  public <Q, A> AnswerStream<A> stream(MethodDescriptor<Q, A> method, Q request) {
    return new AnswerStream<>(connection.stream(method, List.of(request).iterator(), deadline));
  }

  /** Solves one problem. */
  public Optimization optimize(OptimizeRequest request) {
    return call(OptimizationServiceGrpc.getOptimizeMethod(), request);
  }

  /** Returns a stored result. */
  public Optimization getOptimization(GetOptimizationRequest request) {
    return call(OptimizationServiceGrpc.getGetOptimizationMethod(), request);
  }

  /** Lists stored results, newest first. */
  public ListOptimizationsResponse listOptimizations(ListOptimizationsRequest request) {
    return call(OptimizationServiceGrpc.getListOptimizationsMethod(), request);
  }

  /** Deletes a stored result. */
  public DeleteOptimizationResponse deleteOptimization(DeleteOptimizationRequest request) {
    return call(OptimizationServiceGrpc.getDeleteOptimizationMethod(), request);
  }

  /** Describes charts of a stored result. */
  public GetOptimizationChartsResponse getOptimizationCharts(GetOptimizationChartsRequest request) {
    return call(OptimizationServiceGrpc.getGetOptimizationChartsMethod(), request);
  }

  /** Reports the risk of constant weights. */
  public AnalyzeRiskResponse analyzeRisk(AnalyzeRiskRequest request) {
    return call(RiskServiceGrpc.getAnalyzeRiskMethod(), request);
  }

  /** Divides the excess return of a portfolio over a benchmark by segment and period. */
  public AttributeResponse attribute(AttributeRequest request) {
    return call(RiskServiceGrpc.getAttributeMethod(), request);
  }

  /** Tests whether strategies beat a benchmark, the number of strategies that were tried considered. */
  public CompareStrategiesResponse compareStrategies(CompareStrategiesRequest request) {
    return call(RiskServiceGrpc.getCompareStrategiesMethod(), request);
  }

  /** Describes charts of a risk report. */
  public GetRiskChartsResponse getRiskCharts(GetRiskChartsRequest request) {
    return call(RiskServiceGrpc.getGetRiskChartsMethod(), request);
  }

  /** Starts a job and returns its name. */
  public Backtest backtest(BacktestRequest request) {
    return call(BacktestServiceGrpc.getBacktestMethod(), request);
  }

  /** Returns a job and, once it is done, its result. */
  public Backtest getBacktest(GetBacktestRequest request) {
    return call(BacktestServiceGrpc.getGetBacktestMethod(), request);
  }

  /** Lists jobs, newest first. */
  public ListBacktestsResponse listBacktests(ListBacktestsRequest request) {
    return call(BacktestServiceGrpc.getListBacktestsMethod(), request);
  }

  /** Stops a job and returns it. */
  public Backtest cancelBacktest(CancelBacktestRequest request) {
    return call(BacktestServiceGrpc.getCancelBacktestMethod(), request);
  }

  /** Deletes a job with its series. */
  public DeleteBacktestResponse deleteBacktest(DeleteBacktestRequest request) {
    return call(BacktestServiceGrpc.getDeleteBacktestMethod(), request);
  }

  /** Starts one job of many backtests, a grid or a list. */
  public Sweep sweep(SweepRequest request) {
    return call(BacktestServiceGrpc.getSweepMethod(), request);
  }

  /** Returns a sweep with its best trial and the statistics over all trials. */
  public Sweep getSweep(GetSweepRequest request) {
    return call(BacktestServiceGrpc.getGetSweepMethod(), request);
  }

  /** Lists the trials of a sweep. */
  public ListSweepTrialsResponse listSweepTrials(ListSweepTrialsRequest request) {
    return call(BacktestServiceGrpc.getListSweepTrialsMethod(), request);
  }

  /** Describes charts of a finished job. */
  public GetBacktestChartsResponse getBacktestCharts(GetBacktestChartsRequest request) {
    return call(BacktestServiceGrpc.getGetBacktestChartsMethod(), request);
  }

  /** Plans the trades. */
  public Reallocation reallocate(ReallocateRequest request) {
    return call(ReallocationServiceGrpc.getReallocateMethod(), request);
  }

  /** Returns a stored reallocation. */
  public Reallocation getReallocation(GetReallocationRequest request) {
    return call(ReallocationServiceGrpc.getGetReallocationMethod(), request);
  }

  /** Lists stored reallocations, newest first. */
  public ListReallocationsResponse listReallocations(ListReallocationsRequest request) {
    return call(ReallocationServiceGrpc.getListReallocationsMethod(), request);
  }

  /** Deletes a stored reallocation. */
  public DeleteReallocationResponse deleteReallocation(DeleteReallocationRequest request) {
    return call(ReallocationServiceGrpc.getDeleteReallocationMethod(), request);
  }

  /** Records what was traded: the portfolio changes, gains are realised, and the cost against the decision is measured. */
  public RecordFillsResponse recordFills(RecordFillsRequest request) {
    return call(ReallocationServiceGrpc.getRecordFillsMethod(), request);
  }

  /** Describes charts of a stored reallocation. */
  public GetReallocationChartsResponse getReallocationCharts(GetReallocationChartsRequest request) {
    return call(ReallocationServiceGrpc.getGetReallocationChartsMethod(), request);
  }

  /** Stores a new portfolio. */
  public Portfolio createPortfolio(CreatePortfolioRequest request) {
    return call(PortfolioServiceGrpc.getCreatePortfolioMethod(), request);
  }

  /** Returns a portfolio. */
  public Portfolio getPortfolio(GetPortfolioRequest request) {
    return call(PortfolioServiceGrpc.getGetPortfolioMethod(), request);
  }

  /** Lists portfolios by name. */
  public ListPortfoliosResponse listPortfolios(ListPortfoliosRequest request) {
    return call(PortfolioServiceGrpc.getListPortfoliosMethod(), request);
  }

  /** Changes the masked fields, without a mask those that are sent. */
  public Portfolio updatePortfolio(UpdatePortfolioRequest request) {
    return call(PortfolioServiceGrpc.getUpdatePortfolioMethod(), request);
  }

  /** Deletes a portfolio. */
  public DeletePortfolioResponse deletePortfolio(DeletePortfolioRequest request) {
    return call(PortfolioServiceGrpc.getDeletePortfolioMethod(), request);
  }

  /** Lists instruments by symbol. */
  public ListInstrumentsResponse listInstruments(ListInstrumentsRequest request) {
    return call(MarketDataServiceGrpc.getListInstrumentsMethod(), request);
  }

  /** Stores instruments, replacing those with the same symbol. */
  public UpsertInstrumentsResponse upsertInstruments(UpsertInstrumentsRequest request) {
    return call(MarketDataServiceGrpc.getUpsertInstrumentsMethod(), request);
  }

  /** Stores corporate actions, replacing those of the same symbol, date and kind. */
  public UpsertCorporateActionsResponse upsertCorporateActions(UpsertCorporateActionsRequest request) {
    return call(MarketDataServiceGrpc.getUpsertCorporateActionsMethod(), request);
  }

  /** Lists corporate actions by symbol and date. */
  public ListCorporateActionsResponse listCorporateActions(ListCorporateActionsRequest request) {
    return call(MarketDataServiceGrpc.getListCorporateActionsMethod(), request);
  }

  /** Returns the latest figures of assets, from stored bars. */
  public GetMarketMetricsResponse getMarketMetrics(GetMarketMetricsRequest request) {
    return call(MarketDataServiceGrpc.getGetMarketMetricsMethod(), request);
  }

  /** Lists notifications, newest first. */
  public ListNotificationsResponse listNotifications(ListNotificationsRequest request) {
    return call(EventServiceGrpc.getListNotificationsMethod(), request);
  }

  /** Marks a notification as seen. */
  public Notification acknowledgeNotification(AcknowledgeNotificationRequest request) {
    return call(EventServiceGrpc.getAcknowledgeNotificationMethod(), request);
  }

  /** Delivers a notification again. */
  public Notification redeliverNotification(RedeliverNotificationRequest request) {
    return call(EventServiceGrpc.getRedeliverNotificationMethod(), request);
  }

  /** Assesses a list of trades, each symbol once. */
  public AssessLiquidityResponse assessLiquidity(AssessLiquidityRequest request) {
    return call(LiquidityServiceGrpc.getAssessLiquidityMethod(), request);
  }

  /** Chooses the weights of one decision. */
  public DecideResponse decide(DecideRequest request) {
    return call(StrategyServiceGrpc.getDecideMethod(), request);
  }

  /** Returns what the server is and what it takes. */
  public GetServerInfoResponse getServerInfo(GetServerInfoRequest request) {
    return call(AdminServiceGrpc.getGetServerInfoMethod(), request);
  }

  /** Lists calls that changed something, newest first. */
  public ListAuditEventsResponse listAuditEvents(ListAuditEventsRequest request) {
    return call(AdminServiceGrpc.getListAuditEventsMethod(), request);
  }

  /** Refuses new calls from now on, and lets those end that are running. */
  public DrainResponse drain(DrainRequest request) {
    return call(AdminServiceGrpc.getDrainMethod(), request);
  }

  /** Returns the quotas of a caller with what is used of them. */
  public GetQuotasResponse getQuotas(GetQuotasRequest request) {
    return call(AdminServiceGrpc.getGetQuotasMethod(), request);
  }

  /** Creates a key. */
  public ApiKey createApiKey(CreateApiKeyRequest request) {
    return call(AdminServiceGrpc.getCreateApiKeyMethod(), request);
  }

  /** Lists keys without their secrets. */
  public ListApiKeysResponse listApiKeys(ListApiKeysRequest request) {
    return call(AdminServiceGrpc.getListApiKeysMethod(), request);
  }

  /** Revokes a key. */
  public ApiKey revokeApiKey(RevokeApiKeyRequest request) {
    return call(AdminServiceGrpc.getRevokeApiKeyMethod(), request);
  }

  private static <A> A wait(CompletableFuture<A> answer) {
    try {
      return answer.get();
    } catch (ExecutionException failed) {
      RuntimeException cause = (RuntimeException) failed.getCause();
      cause.addSuppressed(new CallSite()); // the stack of the failure is that of a thread of gRPC
      throw cause;
    } catch (InterruptedException interrupted) {
      answer.cancel(true);
      Thread.currentThread().interrupt();
      throw new CancellationException("the thread was interrupted during a call");
    }
  }

  /** Shows where a call was made. */
  private static final class CallSite extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CallSite() {
      super("called here");
    }
  }
}

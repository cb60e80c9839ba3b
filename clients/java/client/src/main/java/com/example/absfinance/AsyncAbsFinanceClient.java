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
import com.example.absfinance.v1.GetMarketMetricsRequest;
import com.example.absfinance.v1.GetMarketMetricsResponse;
import com.example.absfinance.v1.GetOptimizationChartsRequest;
import com.example.absfinance.v1.GetOptimizationChartsResponse;
import com.example.absfinance.v1.GetOptimizationRequest;
import com.example.absfinance.v1.GetPortfolioRequest;
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
import io.grpc.MethodDescriptor;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.ForkJoinPool;

/**
 * The same connection as an {@link AbsFinanceClient}, with futures and publishers.
 *
 * <p>A future fails with {@link AbsFinanceException}; cancelling it cancels its call. A publisher makes a call for each
 * subscriber, and receives no further ahead than it requests.
 */
public final class AsyncAbsFinanceClient {
  private final Connection connection;
  private final Duration deadline;

  AsyncAbsFinanceClient(Connection connection, Duration deadline) {
    this.connection = connection;
    this.deadline = deadline;
  }

  /** The same connection, with another deadline. */
  public AsyncAbsFinanceClient withDeadline(Duration deadline) {
    return new AsyncAbsFinanceClient(connection, deadline);
  }

  /** As {@link AbsFinanceClient#watchBacktest(String)}. */
  public Flow.Publisher<BacktestProgressResponse> watchBacktest(String name) {
    return watchBacktest(
        BacktestProgressRequest.newBuilder().setBacktest(name).build(), AbsFinanceClient.DEFAULT_PATIENCE);
  }

  /** As {@link AbsFinanceClient#watchBacktest(BacktestProgressRequest, Duration)}. */
  public Flow.Publisher<BacktestProgressResponse> watchBacktest(BacktestProgressRequest request, Duration patience) {
    return new FeedPublisher<>(
        () ->
            connection.watch(
                BacktestServiceGrpc.getBacktestProgressMethod(), new EventLog.OfBacktest(request), patience),
        ForkJoinPool.commonPool());
  }

  /** As {@link AbsFinanceClient#watchEvents(WatchEventsRequest)}. */
  public Flow.Publisher<WatchEventsResponse> watchEvents(WatchEventsRequest request) {
    return watchEvents(request, AbsFinanceClient.DEFAULT_PATIENCE);
  }

  /** As {@link AbsFinanceClient#watchEvents(WatchEventsRequest, Duration)}. */
  public Flow.Publisher<WatchEventsResponse> watchEvents(WatchEventsRequest request, Duration patience) {
    return new FeedPublisher<>(
        () -> connection.watch(EventServiceGrpc.getWatchEventsMethod(), new EventLog.OfPortfolios(request), patience),
        ForkJoinPool.commonPool());
  }

  /** As {@link AbsFinanceClient#traceFrontier}. */
  public Flow.Publisher<TraceFrontierResponse> traceFrontier(TraceFrontierRequest request) {
    return publish(OptimizationServiceGrpc.getTraceFrontierMethod(), request);
  }

  /** As {@link AbsFinanceClient#estimateRiskModel}. */
  public Flow.Publisher<EstimateRiskModelResponse> estimateRiskModel(EstimateRiskModelRequest request) {
    return publish(RiskServiceGrpc.getEstimateRiskModelMethod(), request);
  }

  /** As {@link AbsFinanceClient#importPrices}. */
  public CompletableFuture<ImportPricesResponse> importPrices(Iterable<ImportPricesRequest> parts) {
    return connection.clientStream(MarketDataServiceGrpc.getImportPricesMethod(), parts.iterator(), deadline);
  }

  /** As {@link AbsFinanceClient#optimizeBatch}. */
  public Flow.Publisher<OptimizeBatchResponse> optimizeBatch(Iterable<OptimizeBatchRequest> parts) {
    return publishAll(OptimizationServiceGrpc.getOptimizeBatchMethod(), parts);
  }

  /** As {@link AbsFinanceClient#reallocateBatch}. */
  public Flow.Publisher<ReallocateBatchResponse> reallocateBatch(Iterable<ReallocateBatchRequest> parts) {
    return publishAll(ReallocationServiceGrpc.getReallocateBatchMethod(), parts);
  }

  /** Calls any method with one request and one answer. */
  public <Q, A> CompletableFuture<A> call(MethodDescriptor<Q, A> method, Q request) {
    return connection.unary(method, request, deadline);
  }

  /** Calls any method with one request and a stream of answers. */
  public <Q, A> Flow.Publisher<A> publish(MethodDescriptor<Q, A> method, Q request) {
    return publishAll(method, List.of(request));
  }

  private <Q, A> Flow.Publisher<A> publishAll(MethodDescriptor<Q, A> method, Iterable<? extends Q> requests) {
    return new FeedPublisher<>(
        () -> connection.stream(method, requests.iterator(), deadline), ForkJoinPool.commonPool());
  }

  /** Solves one problem. */
  public CompletableFuture<Optimization> optimize(OptimizeRequest request) {
    return call(OptimizationServiceGrpc.getOptimizeMethod(), request);
  }

  /** Returns a stored result. */
  public CompletableFuture<Optimization> getOptimization(GetOptimizationRequest request) {
    return call(OptimizationServiceGrpc.getGetOptimizationMethod(), request);
  }

  /** Lists stored results, newest first. */
  public CompletableFuture<ListOptimizationsResponse> listOptimizations(ListOptimizationsRequest request) {
    return call(OptimizationServiceGrpc.getListOptimizationsMethod(), request);
  }

  /** Deletes a stored result. */
  public CompletableFuture<DeleteOptimizationResponse> deleteOptimization(DeleteOptimizationRequest request) {
    return call(OptimizationServiceGrpc.getDeleteOptimizationMethod(), request);
  }

  /** Describes charts of a stored result. */
  public CompletableFuture<GetOptimizationChartsResponse> getOptimizationCharts(GetOptimizationChartsRequest request) {
    return call(OptimizationServiceGrpc.getGetOptimizationChartsMethod(), request);
  }

  /** Reports the risk of constant weights. */
  public CompletableFuture<AnalyzeRiskResponse> analyzeRisk(AnalyzeRiskRequest request) {
    return call(RiskServiceGrpc.getAnalyzeRiskMethod(), request);
  }

  /** Divides the excess return of a portfolio over a benchmark by segment and period. */
  public CompletableFuture<AttributeResponse> attribute(AttributeRequest request) {
    return call(RiskServiceGrpc.getAttributeMethod(), request);
  }

  /** Tests whether strategies beat a benchmark, the number of strategies that were tried considered. */
  public CompletableFuture<CompareStrategiesResponse> compareStrategies(CompareStrategiesRequest request) {
    return call(RiskServiceGrpc.getCompareStrategiesMethod(), request);
  }

  /** Describes charts of a risk report. */
  public CompletableFuture<GetRiskChartsResponse> getRiskCharts(GetRiskChartsRequest request) {
    return call(RiskServiceGrpc.getGetRiskChartsMethod(), request);
  }

  /** Starts a job and returns its name. */
  public CompletableFuture<Backtest> backtest(BacktestRequest request) {
    return call(BacktestServiceGrpc.getBacktestMethod(), request);
  }

  /** Returns a job and, once it is done, its result. */
  public CompletableFuture<Backtest> getBacktest(GetBacktestRequest request) {
    return call(BacktestServiceGrpc.getGetBacktestMethod(), request);
  }

  /** Lists jobs, newest first. */
  public CompletableFuture<ListBacktestsResponse> listBacktests(ListBacktestsRequest request) {
    return call(BacktestServiceGrpc.getListBacktestsMethod(), request);
  }

  /** Stops a job and returns it. */
  public CompletableFuture<Backtest> cancelBacktest(CancelBacktestRequest request) {
    return call(BacktestServiceGrpc.getCancelBacktestMethod(), request);
  }

  /** Deletes a job with its series. */
  public CompletableFuture<DeleteBacktestResponse> deleteBacktest(DeleteBacktestRequest request) {
    return call(BacktestServiceGrpc.getDeleteBacktestMethod(), request);
  }

  /** Starts one job of many backtests, a grid or a list. */
  public CompletableFuture<Sweep> sweep(SweepRequest request) {
    return call(BacktestServiceGrpc.getSweepMethod(), request);
  }

  /** Returns a sweep with its best trial and the statistics over all trials. */
  public CompletableFuture<Sweep> getSweep(GetSweepRequest request) {
    return call(BacktestServiceGrpc.getGetSweepMethod(), request);
  }

  /** Lists the trials of a sweep. */
  public CompletableFuture<ListSweepTrialsResponse> listSweepTrials(ListSweepTrialsRequest request) {
    return call(BacktestServiceGrpc.getListSweepTrialsMethod(), request);
  }

  /** Describes charts of a finished job. */
  public CompletableFuture<GetBacktestChartsResponse> getBacktestCharts(GetBacktestChartsRequest request) {
    return call(BacktestServiceGrpc.getGetBacktestChartsMethod(), request);
  }

  /** Plans the trades. */
  public CompletableFuture<Reallocation> reallocate(ReallocateRequest request) {
    return call(ReallocationServiceGrpc.getReallocateMethod(), request);
  }

  /** Returns a stored reallocation. */
  public CompletableFuture<Reallocation> getReallocation(GetReallocationRequest request) {
    return call(ReallocationServiceGrpc.getGetReallocationMethod(), request);
  }

  /** Lists stored reallocations, newest first. */
  public CompletableFuture<ListReallocationsResponse> listReallocations(ListReallocationsRequest request) {
    return call(ReallocationServiceGrpc.getListReallocationsMethod(), request);
  }

  /** Deletes a stored reallocation. */
  public CompletableFuture<DeleteReallocationResponse> deleteReallocation(DeleteReallocationRequest request) {
    return call(ReallocationServiceGrpc.getDeleteReallocationMethod(), request);
  }

  /** Records what was traded: the portfolio changes, gains are realised, and the cost against the decision is measured. */
  public CompletableFuture<RecordFillsResponse> recordFills(RecordFillsRequest request) {
    return call(ReallocationServiceGrpc.getRecordFillsMethod(), request);
  }

  /** Describes charts of a stored reallocation. */
  public CompletableFuture<GetReallocationChartsResponse> getReallocationCharts(GetReallocationChartsRequest request) {
    return call(ReallocationServiceGrpc.getGetReallocationChartsMethod(), request);
  }

  /** Stores a new portfolio. */
  public CompletableFuture<Portfolio> createPortfolio(CreatePortfolioRequest request) {
    return call(PortfolioServiceGrpc.getCreatePortfolioMethod(), request);
  }

  /** Returns a portfolio. */
  public CompletableFuture<Portfolio> getPortfolio(GetPortfolioRequest request) {
    return call(PortfolioServiceGrpc.getGetPortfolioMethod(), request);
  }

  /** Lists portfolios by name. */
  public CompletableFuture<ListPortfoliosResponse> listPortfolios(ListPortfoliosRequest request) {
    return call(PortfolioServiceGrpc.getListPortfoliosMethod(), request);
  }

  /** Changes the masked fields, without a mask those that are sent. */
  public CompletableFuture<Portfolio> updatePortfolio(UpdatePortfolioRequest request) {
    return call(PortfolioServiceGrpc.getUpdatePortfolioMethod(), request);
  }

  /** Deletes a portfolio. */
  public CompletableFuture<DeletePortfolioResponse> deletePortfolio(DeletePortfolioRequest request) {
    return call(PortfolioServiceGrpc.getDeletePortfolioMethod(), request);
  }

  /** Lists instruments by symbol. */
  public CompletableFuture<ListInstrumentsResponse> listInstruments(ListInstrumentsRequest request) {
    return call(MarketDataServiceGrpc.getListInstrumentsMethod(), request);
  }

  /** Stores instruments, replacing those with the same symbol. */
  public CompletableFuture<UpsertInstrumentsResponse> upsertInstruments(UpsertInstrumentsRequest request) {
    return call(MarketDataServiceGrpc.getUpsertInstrumentsMethod(), request);
  }

  /** Stores corporate actions, replacing those of the same symbol, date and kind. */
  public CompletableFuture<UpsertCorporateActionsResponse> upsertCorporateActions(UpsertCorporateActionsRequest request) {
    return call(MarketDataServiceGrpc.getUpsertCorporateActionsMethod(), request);
  }

  /** Lists corporate actions by symbol and date. */
  public CompletableFuture<ListCorporateActionsResponse> listCorporateActions(ListCorporateActionsRequest request) {
    return call(MarketDataServiceGrpc.getListCorporateActionsMethod(), request);
  }

  /** Returns the latest figures of assets, from stored bars. */
  public CompletableFuture<GetMarketMetricsResponse> getMarketMetrics(GetMarketMetricsRequest request) {
    return call(MarketDataServiceGrpc.getGetMarketMetricsMethod(), request);
  }

  /** Lists notifications, newest first. */
  public CompletableFuture<ListNotificationsResponse> listNotifications(ListNotificationsRequest request) {
    return call(EventServiceGrpc.getListNotificationsMethod(), request);
  }

  /** Marks a notification as seen. */
  public CompletableFuture<Notification> acknowledgeNotification(AcknowledgeNotificationRequest request) {
    return call(EventServiceGrpc.getAcknowledgeNotificationMethod(), request);
  }

  /** Delivers a notification again. */
  public CompletableFuture<Notification> redeliverNotification(RedeliverNotificationRequest request) {
    return call(EventServiceGrpc.getRedeliverNotificationMethod(), request);
  }

  /** Assesses a list of trades, each symbol once. */
  public CompletableFuture<AssessLiquidityResponse> assessLiquidity(AssessLiquidityRequest request) {
    return call(LiquidityServiceGrpc.getAssessLiquidityMethod(), request);
  }

  /** Chooses the weights of one decision. */
  public CompletableFuture<DecideResponse> decide(DecideRequest request) {
    return call(StrategyServiceGrpc.getDecideMethod(), request);
  }

  /** Returns what the server is and what it takes. */
  public CompletableFuture<GetServerInfoResponse> getServerInfo(GetServerInfoRequest request) {
    return call(AdminServiceGrpc.getGetServerInfoMethod(), request);
  }

  /** Lists calls that changed something, newest first. */
  public CompletableFuture<ListAuditEventsResponse> listAuditEvents(ListAuditEventsRequest request) {
    return call(AdminServiceGrpc.getListAuditEventsMethod(), request);
  }

  /** Refuses new calls from now on, and lets those end that are running. */
  public CompletableFuture<DrainResponse> drain(DrainRequest request) {
    return call(AdminServiceGrpc.getDrainMethod(), request);
  }

  /** Returns the quotas of a caller with what is used of them. */
  public CompletableFuture<GetQuotasResponse> getQuotas(GetQuotasRequest request) {
    return call(AdminServiceGrpc.getGetQuotasMethod(), request);
  }

  /** Creates a key. */
  public CompletableFuture<ApiKey> createApiKey(CreateApiKeyRequest request) {
    return call(AdminServiceGrpc.getCreateApiKeyMethod(), request);
  }

  /** Lists keys without their secrets. */
  public CompletableFuture<ListApiKeysResponse> listApiKeys(ListApiKeysRequest request) {
    return call(AdminServiceGrpc.getListApiKeysMethod(), request);
  }

  /** Revokes a key. */
  public CompletableFuture<ApiKey> revokeApiKey(RevokeApiKeyRequest request) {
    return call(AdminServiceGrpc.getRevokeApiKeyMethod(), request);
  }
}

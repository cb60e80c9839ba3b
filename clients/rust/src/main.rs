//! Optimises a portfolio and follows a backtest with stubs that are generated from the contract, and nothing else.
//!
//! The argument is the address of a server, http://127.0.0.1:50051 without one.
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/mod.rs"));
}

use std::error::Error;
use std::time::Duration;

use api::absfinance::v1 as v1;
use tonic::transport::Channel;
use tonic::{Code, Status};
use v1::backtest_progress_response::Event;
use v1::backtest_service_client::BacktestServiceClient;
use v1::optimization_service_client::OptimizationServiceClient;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or("http://127.0.0.1:50051".into());
    let channel = Channel::from_shared(address)?.connect().await?;
    optimize(channel.clone()).await?;
    follow(channel).await
}

/// Prints the weights of least variance of two assets.
async fn optimize(channel: Channel) -> Result<(), Status> {
    let request = v1::OptimizeRequest {
        input: Some(v1::optimize_request::Input::Moments(v1::Moments {
            symbols: vec!["A".into(), "B".into()],
            covariance: vec![0.04, 0.0, 0.0, 0.09],
            periods_per_year: Some(1.0),
            ..Default::default()
        })),
        objective: Some(least_variance()),
        ..Default::default()
    };
    let answer = OptimizationServiceClient::new(channel).optimize(request).await?.into_inner();
    for one in answer.weights {
        println!("{} {:.4}", one.symbol, one.weight());
    }
    Ok(())
}

fn least_variance() -> v1::Objective {
    v1::Objective { kind: Some(v1::objective::Kind::MinRisk(v1::MinRisk {})) }
}

/// Starts a backtest, prints what happens to it, and then its final wealth.
async fn follow(channel: Channel) -> Result<(), Box<dyn Error>> {
    let mut client = BacktestServiceClient::new(channel);
    let name = client.backtest(backtest()).await?.into_inner().name;
    let mut place = v1::BacktestProgressRequest { backtest: name.clone(), ..Default::default() };
    while let Err(status) = read(&mut client, &mut place).await {
        if status.code() != Code::Unavailable {
            return Err(status.into());
        }
        tokio::time::sleep(Duration::from_millis(500)).await; // then on from the last event
    }
    let done = client.get_backtest(v1::GetBacktestRequest { name }).await?.into_inner();
    let metrics = done.result.and_then(|result| result.metrics).ok_or("the backtest has no result")?;
    println!("final wealth {:.4}", metrics.final_wealth());
    Ok(())
}

/// Reads progress until the job is over. `place` is kept at the last event, from which another call goes on.
async fn read(
    client: &mut BacktestServiceClient<Channel>,
    place: &mut v1::BacktestProgressRequest,
) -> Result<(), Status> {
    let mut stream = client.backtest_progress(place.clone()).await?.into_inner();
    while let Some(news) = stream.message().await? {
        place.epoch = news.epoch;
        match news.event {
            Some(Event::Snapshot(_)) => continue, // its sequence is not one of an event
            Some(Event::Tick(tick)) => println!("{:3.0} % done", 100.0 * tick.fraction()),
            Some(Event::Milestone(milestone)) => println!("{}", milestone.message),
            Some(Event::Finished(finished)) => {
                println!("{}", finished.state().as_str_name());
                return Ok(());
            }
            _ => {}
        }
        place.after_sequence = news.sequence;
    }
    Err(Status::unavailable("the stream ended before the job"))
}

/// 1000 days of two assets, whose weights of least variance are chosen anew every day from the last 60 returns.
fn backtest() -> v1::BacktestRequest {
    let values = (0..1000).flat_map(|day| {
        let day = f64::from(day);
        [100.0 + 0.02 * day + day.sin(), 50.0 + 0.01 * day + 2.0 * (0.7 * day).cos()]
    });
    v1::BacktestRequest {
        input: Some(v1::backtest_request::Input::Prices(v1::Panel {
            symbols: vec!["A".into(), "B".into()],
            dates: (18_000..19_000).collect(),
            values: values.collect(),
        })),
        periods_per_year: Some(252.0),
        strategy: Some(v1::Strategy {
            kind: Some(v1::strategy::Kind::Optimize(v1::OptimizeSpec {
                objective: Some(least_variance()),
                lookback_periods: Some(60),
                ..Default::default()
            })),
            ..Default::default()
        }),
        rebalancing: Some(v1::Rebalancing {
            schedule: Some(v1::rebalancing::Schedule::EveryPeriods(v1::rebalancing::EveryPeriods { n: 1 })),
            ..Default::default()
        }),
        ..Default::default()
    }
}

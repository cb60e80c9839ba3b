//! What a caller writes: a request by its field names, the client by its service.
pub mod api {
    include!(concat!(env!("OUT_DIR"), "/mod.rs"));
}

use api::absfinance::v1::{objective, optimize_request, MinRisk, Moments, Objective, OptimizeRequest};

pub type Client = api::absfinance::v1::optimization_service_client::OptimizationServiceClient<tonic::transport::Channel>;

/// The minimum-variance problem of two assets.
pub fn request() -> OptimizeRequest {
    OptimizeRequest {
        input: Some(optimize_request::Input::Moments(Moments {
            symbols: vec!["A".into(), "B".into()],
            covariance: vec![0.04, 0.01, 0.01, 0.09],
            periods_per_year: Some(12.0),
            ..Default::default()
        })),
        objective: Some(Objective {
            kind: Some(objective::Kind::MinRisk(MinRisk {})),
        }),
        ..Default::default()
    }
}

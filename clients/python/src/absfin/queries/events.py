"""Calls of EventService."""

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from typing import ClassVar

from absfinance.v1 import event_service_pb2 as pb
from absfinance.v1.event_service_pb2 import Notification
from absfinance.v1.event_service_pb2_grpc import EventServiceStub
from absfinance.v1.portfolio_pb2 import Severity as SeverityProto

from absfin.choices import NotificationState, Severity, choice
from absfin.queries.base import PagedQuery, Rpc, UnaryQuery
from absfin.requests import PAGE_SIZE, timestamp


@dataclass(frozen=True)
class ListNotificationsQuery(PagedQuery[Notification]):
    """Notifications, the newest first."""

    RPC: ClassVar = Rpc(EventServiceStub, "ListNotifications")

    _: KW_ONLY
    portfolio: str = ""  # only those of this one, "portfolios/{id}"
    state: NotificationState | None = None
    min_severity: Severity = "info"
    start_create_time: datetime | None = None  # one without a time zone is in UTC
    end_create_time: datetime | None = None

    def request(self, page_token: str) -> pb.ListNotificationsRequest:
        """A page. Raises UnknownChoice."""
        return pb.ListNotificationsRequest(
            page_size=PAGE_SIZE,
            page_token=page_token,
            portfolio=self.portfolio,
            min_severity=choice(SeverityProto, "min_severity", self.min_severity),
            start_create_time=timestamp(self.start_create_time),
            end_create_time=timestamp(self.end_create_time),
            state=None if self.state is None else choice(Notification.State, "state", self.state),
        )

    def items(self, response: pb.ListNotificationsResponse) -> Iterable[Notification]:
        """The notifications of the page."""
        return response.notifications


@dataclass(frozen=True)
class AcknowledgeNotificationQuery(UnaryQuery[Notification]):
    """Marks a notification, "notifications/{id}", as seen. Raises NotFound."""

    RPC: ClassVar = Rpc(EventServiceStub, "AcknowledgeNotification")

    name: str

    def request(self) -> pb.AcknowledgeNotificationRequest:
        """The name."""
        return pb.AcknowledgeNotificationRequest(name=self.name)

    def answer(self, response: Notification) -> Notification:
        """The notification, which has been seen."""
        return response


@dataclass(frozen=True)
class RedeliverNotificationQuery(UnaryQuery[Notification]):
    """Delivers a notification, "notifications/{id}", again. Raises NotFound, NotSupported without a webhook."""

    RPC: ClassVar = Rpc(EventServiceStub, "RedeliverNotification")

    name: str

    def request(self) -> pb.RedeliverNotificationRequest:
        """The name."""
        return pb.RedeliverNotificationRequest(name=self.name)

    def answer(self, response: Notification) -> Notification:
        """The notification, which is to be delivered."""
        return response

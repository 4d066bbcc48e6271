"""The output of each start."""

from typing import Any

VALUES: dict[str, Any] = {"title": "Oak table", "amount": "1250.50"}

CALL: dict[str, Any] = {
    "body": {"id": "ord-1042", "customer": "Jane Doe", "total": "1250.50"},
    "query": {"source": "shop"},
    "received_at": "2026-11-30T08:00:00+00:00",
}

MOMENT: dict[str, Any] = {
    "date": "2026-11-30",
    "time": "09:00",
    "weekday": "Monday",
    "timezone": "Pacific/Auckland",
    "planned_at": "2026-11-30T09:00:00+13:00",
    "started_at": "2026-11-30T09:00:02+13:00",
    "month": "November 2026",
    "month_start": "2026-11-01",
    "month_end": "2026-11-30",
    "last_month_start": "2026-10-01",
    "last_month_end": "2026-10-31",
}

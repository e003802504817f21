"""What the tests of views share."""

from __future__ import annotations

import kernels

collect_ignore = (
    ["test_row_order_cy.py"] if kernels.variants("inspector.views.row_order_cy") == [kernels.SOURCE] else []
)
"""There is no other variant of a kernel that is there only compiled."""

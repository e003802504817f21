# What `make_cy.py` shares with other kernels, as C sees it.

cpdef object make(object kind, tuple values)

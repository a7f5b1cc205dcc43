//! Who may see what: roles, row filters, masks, and the decision for one caller. Built on `sql`, which applies it.

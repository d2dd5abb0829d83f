//! A UAA that one runs oneself: clients with authorities, users, groups. Mounted below `/uaa`.

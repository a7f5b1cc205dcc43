CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s fine');
CREATE DOMAIN email AS text CHECK (VALUE ~ '@');
CREATE DOMAIN grade AS text CHECK (VALUE IN ('a', 'b', 'c'));
CREATE DOMAIN best_grade AS grade NOT NULL;
CREATE SCHEMA "Other";
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email email NOT NULL UNIQUE,
    region varchar(20) NOT NULL CHECK (region IN ('eu', 'us-east')),
    status text CHECK (status = ANY (ARRAY['active', 'inactive'])) CHECK (length(status) > 2),
    mood mood,
    moods mood[],
    grade grade,
    best best_grade,
    balance numeric(12,2),
    plain_balance numeric,
    tags text[],
    payload jsonb,
    seen timestamptz,
    seen_precisely timestamp(3),
    at time,
    day date,
    token uuid,
    raw bytea,
    ratio double precision,
    small smallint,
    flag boolean,
    code character(3),
    span interval,
    address inet,
    "Odd ""name" integer,
    gone integer,
    CONSTRAINT region_and_status UNIQUE (region, status)
);
ALTER TABLE users DROP COLUMN gone;
CREATE UNIQUE INDEX partial_is_no_key ON users (token) WHERE flag;
CREATE UNIQUE INDEX expression_is_no_key ON users (lower(status));
CREATE UNIQUE INDEX covering ON users (token) INCLUDE (day);
COMMENT ON TABLE users IS 'People';
COMMENT ON COLUMN users.email IS 'Where to write to';
CREATE TABLE "Other".orders (
    user_id bigint REFERENCES users,
    region varchar(20),
    status text,
    number integer,
    level integer CHECK (level IN (1, 2, 3)),
    unsure text CHECK (unsure = 'a' OR unsure = 'b'),
    PRIMARY KEY (user_id, number),
    FOREIGN KEY (region, status) REFERENCES users (region, status)
);
CREATE TABLE events (day date NOT NULL, note text) PARTITION BY RANGE (day);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE VIEW eu_users AS SELECT id, email, mood FROM users WHERE region = 'eu';
CREATE MATERIALIZED VIEW user_count AS SELECT count(*) AS n FROM users;
CREATE TEMPORARY TABLE not_there (id integer);

-- Old events may be forgotten: the oldest that is still held is `floor + 1`.
alter table journal_head add column floor bigint not null default 0;

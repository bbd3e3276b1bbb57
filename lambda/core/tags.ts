/** Tag keys by which the runtime finds what is the project's, and by which IAM conditions bound what it may touch. */
export const Tag = {
  PROJECT: 'disaster-recovery:project',
  ENDPOINT: 'disaster-recovery:endpoint',
  MEMBER: 'disaster-recovery:member',
  POINT: 'disaster-recovery:point',
  CYCLE: 'disaster-recovery:cycle',
  /** On a copy: the source snapshot that it was made from. EC2 does not carry a copy's lineage. */
  COPY_OF: 'disaster-recovery:copy-of',
  RUN: 'disaster-recovery:run',
  MODE: 'disaster-recovery:mode',
  /** On a machine or disk that another one has taken the place of: the id of the run that did it. It is no source any more. */
  REPLACED_BY: 'disaster-recovery:replaced-by',
  /** The epoch of the run that launched it. */
  EPOCH: 'disaster-recovery:epoch',
  /** Epoch seconds after which teardown removes it: what drills have launched, and what was replaced. */
  EXPIRES_AT: 'disaster-recovery:expires-at',
} as const;

export const TAG_PREFIX = 'disaster-recovery:';

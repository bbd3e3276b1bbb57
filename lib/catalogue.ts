import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

export interface CatalogueProps {
  readonly key: IKey;
  readonly removalPolicy: RemovalPolicy;
}

/** Index of recovery points that still need work, and of recovery runs. */
export const WORK_INDEX = 'work';

/** The table of recovery points, members and runs. In the recovery Region, since recovery reads it. */
export class Catalogue extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, props: CatalogueProps) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'ttl',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: props.key,
      deletionProtection: props.removalPolicy !== RemovalPolicy.DESTROY,
      removalPolicy: props.removalPolicy,
    });
    this.table.addGlobalSecondaryIndex({
      indexName: WORK_INDEX,
      partitionKey: { name: 'work', type: AttributeType.STRING },
      sortKey: { name: 'sk2', type: AttributeType.STRING },
      projectionType: ProjectionType.ALL,
    });
  }
}

import { Token } from 'aws-cdk-lib';

/** What a capacity policy adds to the launch. @internal */
export interface CapacityBinding {
  readonly reservationId?: string;
  readonly groupArn?: string;
}

/** Whether recovered machines are launched into capacity that was reserved beforehand. Only a reservation guarantees it. */
export abstract class CapacityPolicy {
  /** On-demand capacity as there is. */
  static none(): CapacityPolicy {
    return new Capacity({});
  }

  /**
   * One On-Demand Capacity Reservation in the recovery Region. It serves one instance type in one Availability Zone.
   * @param reservationId e.g. `cr-0123456789abcdef0`
   * @throws Error when it is not the id of a reservation
   */
  static reservation(reservationId: string): CapacityPolicy {
    if (!Token.isUnresolved(reservationId) && !/^cr-[0-9a-f]+$/.test(reservationId)) {
      throw new Error(`CapacityPolicy.reservation() takes an id such as cr-0123456789abcdef0, got '${reservationId}'.`);
    }
    return new Capacity({ reservationId });
  }

  /**
   * A resource group of capacity reservations in the recovery Region.
   * @param groupArn ARN of the group, e.g. `arn:aws:resource-groups:us-west-2:111122223333:group/recovery`
   * @throws Error when it is not the ARN of a resource group
   */
  static resourceGroup(groupArn: string): CapacityPolicy {
    if (!Token.isUnresolved(groupArn) && !/^arn:[^:]+:resource-groups:[^:]+:\d{12}:group\/.+$/.test(groupArn)) {
      throw new Error(`CapacityPolicy.resourceGroup() takes the ARN of a resource group, got '${groupArn}'.`);
    }
    return new Capacity({ groupArn });
  }

  /** @internal */
  abstract _bind(): CapacityBinding;
}

class Capacity extends CapacityPolicy {
  constructor(private readonly binding: CapacityBinding) {
    super();
  }

  override _bind(): CapacityBinding {
    return this.binding;
  }
}
